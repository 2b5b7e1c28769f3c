// Package text makes text from outside fit to be drawn: it shows control and
// invisible characters as harmless marks and measures what is left in terminal
// cells. It must not know styles, screens or where the text came from.
package text

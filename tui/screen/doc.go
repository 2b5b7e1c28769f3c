// Package screen holds the screens, one per file. A screen draws what it was
// given and answers keys with a typed result; it must not know which screen came
// before or comes next, and it asks nothing of the world itself: the root does.
package screen

package github

import "time"

// Hurry shortens the waits of a client, so that tests of them end soon.
func (c *Client) Hurry(request, total, pause time.Duration) *Client {
	c.request, c.total, c.pause = request, total, pause
	return c
}

package registry

import "time"

// Hurry shortens the waits of a client, so that tests of them end soon.
func (c *Client) Hurry(request, pause time.Duration) *Client {
	g, ok := c.transport.(guard)
	if ok {
		g.timeout = request
		c.transport = g
	}
	c.pause = pause
	return c
}

// Package pg is a PostgreSQL client of the smallest useful size: one connection,
// simple queries, values as text. It must not know what is asked through it.
package pg

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Config says where the server is and who asks.
type Config struct {
	Addr     string // host:port
	User     string
	Password string
	Database string
	App      string // application_name, shown in pg_stat_activity
}

// Error is an ErrorResponse of the server.
type Error struct {
	Severity, Code, Message string
}

// Error spells the error with its SQLSTATE.
func (e *Error) Error() string { return e.Severity + " " + e.Code + ": " + e.Message }

// Conn is one connection. It is not safe for use by several goroutines.
type Conn struct {
	net net.Conn
	r   *bufio.Reader
	err error // first fatal error: the connection is of no use any more
}

// Connect opens a connection and logs in.
func Connect(ctx context.Context, c Config) (*Conn, error) {
	var d net.Dialer
	n, err := d.DialContext(ctx, "tcp", c.Addr)
	if err != nil {
		return nil, err
	}
	conn := &Conn{net: n, r: bufio.NewReader(n)}
	stop := conn.watch(ctx)
	defer stop()
	if err := conn.login(c); err != nil {
		n.Close()
		return nil, err
	}
	return conn, nil
}

// Close says goodbye and closes the connection.
func (c *Conn) Close() error {
	_ = c.send('X', nil) // the server notices a closed socket as well
	return c.net.Close()
}

// Broken says whether the connection must be replaced.
func (c *Conn) Broken() bool { return c.err != nil }

// Query runs one or more statements and returns the rows of all of them; a NULL
// is an empty string. An *Error leaves the connection usable.
func (c *Conn) Query(ctx context.Context, sql string) ([][]string, error) {
	if c.err != nil {
		return nil, c.err
	}
	stop := c.watch(ctx)
	defer stop()
	if err := c.send('Q', append([]byte(sql), 0)); err != nil {
		return nil, c.fatal(err)
	}
	return c.collect()
}

// Literal quotes a value for use in a statement.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// collect reads until the server is ready for the next query.
func (c *Conn) collect() ([][]string, error) {
	var rows [][]string
	var failed error
	for {
		kind, body, err := c.receive()
		if err != nil {
			return nil, c.fatal(err)
		}
		switch kind {
		case 'D':
			row, err := fields(body)
			if err != nil {
				return nil, c.fatal(err)
			}
			rows = append(rows, row)
		case 'E':
			failed = parseError(body)
		case 'Z':
			return rows, failed
		}
	}
}

// watch breaks reads and writes when ctx ends; the returned function ends the watch.
func (c *Conn) watch(ctx context.Context) (stop func()) {
	unregister := context.AfterFunc(ctx, func() { _ = c.net.SetDeadline(time.Unix(1, 0)) })
	return func() { unregister() }
}

func (c *Conn) fatal(err error) error {
	c.err = fmt.Errorf("connection lost: %w", err)
	return c.err
}

// fields splits a DataRow.
func fields(body []byte) ([]string, error) {
	if len(body) < 2 {
		return nil, errShort
	}
	row := make([]string, binary.BigEndian.Uint16(body))
	body = body[2:]
	for i := range row {
		if len(body) < 4 {
			return nil, errShort
		}
		size := int32(binary.BigEndian.Uint32(body))
		body = body[4:]
		if size < 0 {
			continue
		}
		if int(size) > len(body) {
			return nil, errShort
		}
		row[i], body = string(body[:size]), body[size:]
	}
	return row, nil
}

// parseError reads the fields of an ErrorResponse: a letter, text, NUL; repeated.
func parseError(body []byte) *Error {
	e := &Error{}
	for part := range strings.SplitSeq(string(body), "\x00") {
		if part == "" {
			continue
		}
		switch part[0] {
		case 'V':
			e.Severity = part[1:]
		case 'C':
			e.Code = part[1:]
		case 'M':
			e.Message = part[1:]
		}
	}
	return e
}

var errShort = errors.New("short message from the server")

package pg

import (
	"encoding/binary"
	"fmt"
	"io"
)

// protocol is version 3.0 of the frontend/backend protocol.
const protocol = 3 << 16

// maxMessage bounds what a server can make this client allocate.
const maxMessage = 64 << 20

// Authentication requests this client answers.
const (
	authOK       = 0
	authPlain    = 3
	authSASL     = 10
	authContinue = 11
	authFinal    = 12
)

// login sends the startup message and answers until the server is ready.
func (c *Conn) login(cfg Config) error {
	var b []byte
	b = binary.BigEndian.AppendUint32(b, protocol)
	for _, kv := range [][2]string{
		{"user", cfg.User},
		{"database", cfg.Database},
		{"application_name", cfg.App},
		{"client_encoding", "UTF8"},
	} {
		b = append(append(append(append(b, kv[0]...), 0), kv[1]...), 0)
	}
	b = append(b, 0)
	if _, err := c.net.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b)+4)), b...)); err != nil {
		return err
	}
	var s *scram
	for {
		kind, body, err := c.receive()
		if err != nil {
			return err
		}
		switch kind {
		case 'R':
			if s, err = c.authenticate(cfg, s, body); err != nil {
				return err
			}
		case 'E':
			return parseError(body)
		case 'Z':
			return nil
		}
	}
}

// authenticate answers one authentication request.
func (c *Conn) authenticate(cfg Config, s *scram, body []byte) (*scram, error) {
	if len(body) < 4 {
		return s, errShort
	}
	request, rest := binary.BigEndian.Uint32(body), body[4:]
	switch {
	case request == authOK:
		return s, nil
	case request == authPlain:
		return s, c.send('p', append([]byte(cfg.Password), 0))
	case request == authSASL:
		s = newScram(cfg.Password)
		first := s.first()
		msg := append([]byte(mechanism), 0)
		msg = binary.BigEndian.AppendUint32(msg, uint32(len(first)))
		return s, c.send('p', append(msg, first...))
	case request == authContinue && s != nil:
		answer, err := s.final(string(rest))
		if err != nil {
			return s, err
		}
		return s, c.send('p', []byte(answer))
	case request == authFinal && s != nil:
		return s, s.verify(string(rest))
	default:
		return s, fmt.Errorf("the server asks for authentication %d, which this client does not know", request)
	}
}

func (c *Conn) send(kind byte, body []byte) error {
	msg := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))
	_, err := c.net.Write(append(msg, body...))
	return err
}

func (c *Conn) receive() (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size < 4 || size > maxMessage {
		return 0, nil, fmt.Errorf("message of %d bytes from the server", size)
	}
	body = make([]byte, size-4)
	_, err = io.ReadFull(c.r, body)
	return head[0], body, err
}

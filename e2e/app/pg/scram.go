package pg

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const mechanism = "SCRAM-SHA-256"

// scram is one exchange of RFC 7677 without channel binding.
type scram struct {
	password string
	bare     string // client-first-message-bare
	nonce    string
	want     string // server signature that proves the server knows the password
}

func newScram(password string) *scram {
	nonce := rand.Text()
	return &scram{password: password, nonce: nonce, bare: "n=,r=" + nonce}
}

// first is the client-first-message. The server takes the user from the startup message.
func (s *scram) first() string { return "n,," + s.bare }

// final answers the server-first-message.
func (s *scram) final(server string) (string, error) {
	attr := attributes(server)
	salt, err := base64.StdEncoding.DecodeString(attr["s"])
	if err != nil {
		return "", fmt.Errorf("scram salt: %w", err)
	}
	rounds, err := strconv.Atoi(attr["i"])
	if err != nil || rounds < 1 || !strings.HasPrefix(attr["r"], s.nonce) {
		return "", errors.New("scram: malformed challenge")
	}
	salted, err := pbkdf2.Key(sha256.New, s.password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	bare := "c=biws,r=" + attr["r"]
	transcript := s.bare + "," + server + "," + bare
	clientKey := mac(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	proof := mac(stored[:], transcript)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	s.want = base64.StdEncoding.EncodeToString(mac(mac(salted, "Server Key"), transcript))
	return bare + ",p=" + base64.StdEncoding.EncodeToString(proof), nil
}

// verify checks the server-final-message.
func (s *scram) verify(server string) error {
	if attributes(server)["v"] != s.want {
		return errors.New("scram: the server does not know the password")
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func attributes(message string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(message, ",") {
		if k, v, ok := strings.Cut(part, "="); ok {
			out[k] = v
		}
	}
	return out
}

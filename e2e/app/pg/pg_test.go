package pg

import (
	"encoding/base64"
	"testing"

	"pgregory.net/rapid"
)

// The exchange is the example of RFC 7677 §3.
func TestScramAnswersTheExampleOfTheStandard(t *testing.T) {
	s := &scram{password: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO", bare: "n=user,r=rOprNGfwEbeRWgbNEkqO"}
	got, err := s.final("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
	if err != nil {
		t.Fatal(err)
	}
	want := "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	if got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	if err := s.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="); err != nil {
		t.Fatal(err)
	}
	if err := s.verify("v=" + base64.StdEncoding.EncodeToString([]byte("someone else"))); err == nil {
		t.Fatal("a server that does not know the password was accepted")
	}
}

func TestScramRefusesAStrangersNonce(t *testing.T) {
	if _, err := newScram("x").final("r=other,s=AAAA,i=4096"); err == nil {
		t.Fatal("a challenge to somebody else was answered")
	}
}

func TestFieldsNeverReadsBeyondTheMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "body")
		_, _ = fields(body) // must not panic
	})
}

func TestFieldsTellsNullFromText(t *testing.T) {
	row, err := fields([]byte("\x00\x02\xff\xff\xff\xff\x00\x00\x00\x02ab"))
	if err != nil || len(row) != 2 || row[0] != "" || row[1] != "ab" {
		t.Fatalf("got %q, %v", row, err)
	}
}

func TestParseErrorKeepsTheState(t *testing.T) {
	got := parseError([]byte("SERROR\x00VERROR\x00C42P07\x00Mrelation \"accounts\" already exists\x00\x00"))
	if got.Error() != `ERROR 42P07: relation "accounts" already exists` {
		t.Fatal(got)
	}
}

func TestLiteralCannotEnd(t *testing.T) {
	if got := Literal("o'brien"); got != "'o''brien'" {
		t.Fatal(got)
	}
}

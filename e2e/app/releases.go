package main

// release is what sets one version apart.
type release struct {
	migrations []migration
	needs      string // a variable without which it does not start
	sick       bool   // stays up and answers 503
}

// releases are all versions there are.
func releases() map[string]release {
	return map[string]release{
		"1.2.3": {migrations: base()},
		"1.2.4": {migrations: base()},
		"1.3.0": {migrations: kinds()},
		"1.4.0": {migrations: broken()},
		"1.5.0": {migrations: kinds(), sick: true},
		"2.0.0": {migrations: kinds(), needs: "LEDGER_SIGNING_KEY"},
	}
}

// base is the schema of 1.2.
func base() []migration {
	return []migration{
		{20250110090000, "CreateAccounts", []statement{
			{log: "create table accounts", sql: `CREATE TABLE accounts (
				id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, opened timestamptz NOT NULL DEFAULT now())`},
		}},
		{20250110090100, "CreateEntries", []statement{
			{log: "create table entries", sql: `CREATE TABLE entries (
				id bigserial PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts, amount numeric(12,2) NOT NULL,
				category text NOT NULL, memo text, booked timestamptz NOT NULL DEFAULT now())`},
			{log: "create index entries_account_id_index", sql: `CREATE INDEX entries_account_id_index ON entries (account_id)`},
		}},
	}
}

// kinds is the schema of 1.3: it copies a column, slowly enough to be watched,
// and then drops the old one. There is no way back but a backup.
func kinds() []migration {
	return append(
		base(),
		migration{20251002110000, "AddEntryKind", []statement{
			{log: "alter table entries add kind", sql: `ALTER TABLE entries ADD COLUMN kind text`},
			{log: "copy category to kind", sql: `UPDATE entries SET kind = category WHERE kind IS NULL AND id IN
				(SELECT id FROM entries WHERE kind IS NULL LIMIT 10000) RETURNING 1`, batches: true},
		}},
		migration{20251002110100, "DropEntryCategory", []statement{
			{log: "alter table entries drop category", sql: `ALTER TABLE entries DROP COLUMN category`},
		}},
	)
}

// broken is the schema of 1.4: it commits the loss of a column and fails after
// that, on every start anew.
func broken() []migration {
	return append(kinds(), migration{20260114083000, "SplitMemo", []statement{
		{log: "alter table entries drop memo", sql: `ALTER TABLE entries DROP COLUMN IF EXISTS memo`},
		{log: "delete small entries", sql: `DELETE FROM entries WHERE id % 10 = 0`},
		{log: "create table accounts", sql: `CREATE TABLE accounts (id bigserial PRIMARY KEY)`},
	}})
}

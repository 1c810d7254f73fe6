package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	operations = []string{"insert", "update", "delete"}
	address    = regexp.MustCompile(`^[^@]+@[^@]+$`)
	decimal    = regexp.MustCompile(`^([0-9]{1,15})(?:\.([0-9]{1,2}))?$`)
)

// row leaves the fields to be validated undecoded: one of a wrong type refuses its row, no other.
type row struct {
	Database string                     `json:"database"`
	Table    string                     `json:"table"`
	Type     json.RawMessage            `json:"type"`
	Data     data                       `json:"data"`
	Old      map[string]json.RawMessage `json:"old"`
}

type data struct {
	ID     json.RawMessage `json:"id"`
	Name   json.RawMessage `json:"name"`
	Email  json.RawMessage `json:"email"`
	Amount json.RawMessage `json:"amount"`
}

type change struct {
	Key         string   `json:"key"`
	Operation   string   `json:"operation"`
	Name        string   `json:"name"`
	AmountCents int64    `json:"amount_cents"`
	Changed     []string `json:"changed"`
}

// accept returns what a row becomes, or the reason why it is refused.
func (r row) accept() (change, string) {
	operation := text(r.Type)
	if !slices.Contains(operations, operation) {
		return change{}, "type"
	}
	var id int64
	if json.Unmarshal(r.Data.ID, &id) != nil || id <= 0 {
		return change{}, "id"
	}
	name := text(r.Data.Name)
	if utf8.RuneCountInString(name) > 100 || strings.TrimSpace(name) == "" {
		return change{}, "name"
	}
	if !address.MatchString(text(r.Data.Email)) {
		return change{}, "email"
	}
	cents, ok := inCents(text(r.Data.Amount))
	if !ok {
		return change{}, "amount"
	}
	return change{
		Key:         fmt.Sprintf("%s.%s/%d", r.Database, r.Table, id),
		Operation:   operation,
		Name:        strings.TrimSpace(name),
		AmountCents: cents,
		Changed:     slices.AppendSeq([]string{}, maps.Keys(r.Old)),
	}.sorted(), ""
}

func (c change) sorted() change {
	slices.Sort(c.Changed)
	return c
}

// text is empty for anything but a JSON string, and nothing empty is valid anywhere.
func text(raw json.RawMessage) string {
	var decoded string
	if json.Unmarshal(raw, &decoded) != nil {
		return ""
	}
	return decoded
}

func inCents(amount string) (int64, bool) {
	parts := decimal.FindStringSubmatch(amount)
	if parts == nil {
		return 0, false
	}
	cents, err := strconv.ParseInt(parts[1]+(parts[2] + "00")[:2], 10, 64)
	return cents, err == nil
}

package markdown

import (
	"errors"

	"github.com/charmbracelet/glamour/ansi"
)

var errGaveUp = errors.New("the Markdown parser gave up")

func p[T any](v T) *T { return &v }

// style draws with the terminal's own 16 colours; without color structure alone
// carries the meaning.
func style(color bool) ansi.StyleConfig {
	c := func(n string) *string {
		if !color {
			return nil
		}
		return &n
	}
	bold := func() *bool {
		if !color {
			return nil
		}
		return p(true)
	}
	head := func(prefix string) ansi.StyleBlock {
		return ansi.StyleBlock{StylePrimitive: ansi.StylePrimitive{Prefix: prefix, Bold: bold(), Color: c("6"), BlockSuffix: "\n"}}
	}
	return ansi.StyleConfig{
		Document:              ansi.StyleBlock{},
		BlockQuote:            ansi.StyleBlock{Indent: p(uint(1)), IndentToken: p("│ ")},
		Paragraph:             ansi.StyleBlock{},
		List:                  ansi.StyleList{LevelIndent: 2},
		Heading:               ansi.StyleBlock{StylePrimitive: ansi.StylePrimitive{BlockSuffix: "\n", Bold: bold()}},
		H1:                    head(""),
		H2:                    head(""),
		H3:                    head(""),
		H4:                    head(""),
		H5:                    head(""),
		H6:                    head(""),
		Strong:                ansi.StylePrimitive{Bold: bold()},
		Emph:                  ansi.StylePrimitive{},
		HorizontalRule:        ansi.StylePrimitive{Format: "\n────────\n"},
		Item:                  ansi.StylePrimitive{BlockPrefix: "• "},
		Enumeration:           ansi.StylePrimitive{BlockPrefix: ". "},
		Task:                  ansi.StyleTask{Ticked: "[x] ", Unticked: "[ ] "},
		Link:                  ansi.StylePrimitive{Color: c("4")},
		LinkText:              ansi.StylePrimitive{},
		Image:                 ansi.StylePrimitive{},
		ImageText:             ansi.StylePrimitive{},
		Code:                  ansi.StyleBlock{StylePrimitive: ansi.StylePrimitive{Prefix: "`", Suffix: "`", Color: c("3")}},
		CodeBlock:             ansi.StyleCodeBlock{StyleBlock: ansi.StyleBlock{Margin: p(uint(2)), StylePrimitive: ansi.StylePrimitive{Color: c("3")}}},
		Table:                 ansi.StyleTable{CenterSeparator: p("┼"), ColumnSeparator: p("│"), RowSeparator: p("─")},
		DefinitionDescription: ansi.StylePrimitive{BlockPrefix: "\n"},
	}
}

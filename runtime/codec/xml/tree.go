package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A node is an element as it was read.
type node struct {
	name  xml.Name
	attrs []xml.Attr
	kids  []*node
	text  string
}

// read reads one document.
func read(data []byte) (*node, error) {
	p := &tokens{d: xml.NewDecoder(bytes.NewReader(data))}
	p.d.Strict = true
	var root *node
	for {
		t, err := p.d.Token()
		switch {
		case err == io.EOF && root == nil:
			return nil, errors.New("there is no element")
		case err == io.EOF:
			return root, nil
		case err != nil:
			return nil, reason(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if root != nil {
				return nil, errors.New("there is more than one root element")
			}
			if root, err = p.element(t, 1); err != nil {
				return nil, err
			}
		case xml.Directive:
			return nil, errDirective
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("there is text outside of the root element")
			}
		}
	}
}

var errDirective = errors.New("document types and other directives are not read")

type tokens struct {
	d     *xml.Decoder
	nodes int
}

func (p *tokens) element(start xml.StartElement, depth int) (*node, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("elements nest deeper than %d", MaxDepth)
	}
	if p.nodes += 1 + len(start.Attr); p.nodes > MaxNodes {
		return nil, fmt.Errorf("there are more than %d elements and attributes", MaxNodes)
	}
	n := &node{name: start.Name, attrs: start.Attr}
	var text strings.Builder
	for {
		t, err := p.d.Token()
		if err != nil {
			return nil, reason(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			kid, err := p.element(t, depth+1)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		case xml.CharData:
			text.Write(t)
		case xml.Directive:
			return nil, errDirective
		case xml.EndElement:
			n.text = text.String()
			return n, nil
		}
	}
}

// reason says what is wrong without saying that it is XML: the caller does.
func reason(err error) error {
	if e, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return fmt.Errorf("line %d: %s", e.Line, e.Msg)
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// is says whether an element or attribute is the one that n describes.
func is(got xml.Name, n *Node, name string) bool {
	return got.Local == name && (n.Space == "" || n.Space == got.Space)
}

// attr finds an attribute.
func (e *node) attr(n *Node) (string, bool) {
	for i := range e.attrs {
		if is(e.attrs[i].Name, n, n.name("")) {
			return e.attrs[i].Value, true
		}
	}
	return "", false
}

// null says whether the element says of itself that it is nil.
func (e *node) null() bool {
	for i := range e.attrs {
		if a := &e.attrs[i]; a.Name.Space == instance && a.Name.Local == "nil" {
			return a.Value == "true" || a.Value == "1"
		}
	}
	return false
}

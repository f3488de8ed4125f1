package generator

import (
	"net/url"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// extras adds what stands beside the methods of services: links, addresses of callbacks,
// iterators over pages. All methods have their signatures by now.
func (p *pass) extras(services []*service) {
	all := map[*contract.Operation]*operation{}
	for _, s := range services {
		for _, op := range s.ops {
			all[op.Operation] = op
		}
	}
	structs := p.structs()
	for _, s := range services {
		for _, op := range s.ops {
			s.within(op.Span, func() {
				s.untyped(op)
				s.callbacks(op)
				s.links(op, all)
				s.pages(op, structs)
			})
		}
	}
}

// untyped says which bodies have items that are described, but in no way that is known.
func (s *service) untyped(op *operation) {
	for _, out := range op.Out {
		if streams(op) || out.Body == nil {
			continue
		}
		for _, b := range out.Body.Bodies {
			if b.Item != nil && replyClass(b) != itemsClass {
				s.remark("stream-as-bytes", b.Span, "the items of %s are passed as bytes; those of events (text/event-stream) and of lines of JSON (application/jsonl) are typed", b.Media).
					Help = "read them from the body of " + op.method.Name
			}
		}
	}
}

// callbacks adds a function for the address of each callback of an operation.
func (s *service) callbacks(op *operation) {
	for _, c := range op.Callbacks {
		m := op.method
		needs := strings.Contains(c.URL, "$response")
		if needs && (streams(op) || m.Out.Name == "") {
			s.warn("bad-expression", c.Span, "the callback %s is sent to %s, but %s has no reply that says it", c.Name, c.URL, m.Name)
			continue
		}
		name := s.names.name(m.Name+exported(c.Name)+"URL", "Callback")
		s.out.Callbacks = append(s.out.Callbacks, &golang.Callback{Name: name, From: m, Address: c.URL, Reply: needs,
			Doc: wrap(name+" is where the callback "+oneLine(c.Name)+" of "+m.Name+" is sent: "+oneLine(c.URL)+
				". Who made the request chose it: see concordat.NewHook.", "")})
	}
}

// links adds a function for each link of an operation's replies.
func (s *service) links(op *operation, all map[*contract.Operation]*operation) {
	for _, out := range op.Out {
		for _, l := range out.Links {
			s.link(op, l, all[l.Target])
		}
	}
}

func (s *service) link(op *operation, l *contract.Link, to *operation) {
	m := op.method
	if to == nil || streams(op) {
		s.warn("bad-link", l.Span, "the link %s is left out, since it belongs to no reply as a whole", l.Name)
		return
	}
	out := &golang.Link{From: m, To: to.method}
	for _, v := range l.Values {
		if strings.Contains(v.Expression, "$response") && m.Out.Name == "" {
			s.warn("bad-link", v.Span, "the link %s reads the reply of %s, which has none; it is left out", l.Name, m.Name)
			return
		}
		value := golang.LinkValue{Name: v.Name, Expression: v.Expression, JSON: v.JSON}
		if v.In != "body" {
			value.Place = exported(v.In)
		}
		out.Values = append(out.Values, value)
	}
	out.Name = s.names.name(m.Name+exported(l.Name), "Link")
	out.Doc = comment(l.Doc, func(text string) string { return out.Name + ": " + text })
	if len(out.Doc) > 0 {
		out.Doc = append(out.Doc, "")
	}
	out.Doc = append(out.Doc, wrap(out.Name+" follows the link "+oneLine(l.Name)+": it makes a request of "+to.method.Name+" from one of "+m.Name+" and its reply.", "")...)
	s.out.Links = append(s.out.Links, out)
}

// structs are the declared types by name.
func (p *pass) structs() map[string]golang.Decl {
	out := map[string]golang.Decl{}
	for _, d := range p.decls {
		switch d := d.decl.(type) {
		case *golang.Struct:
			out[d.Name] = d
		case *golang.Named:
			out[d.Name] = d
		}
	}
	return out
}

// pages adds the iterator over an operation's pages, where the Go of its reply shows what
// an item is.
func (s *service) pages(op *operation, decls map[string]golang.Decl) {
	p, m := op.Pages, op.method
	if p == nil {
		return
	}
	item, ok := itemOf(op, p.Items, decls)
	if !ok || m.Sig != golang.Call {
		s.warn("bad-pagination", p.Span, "%s cannot be iterated over: its Go has no list at %q", m.Name, p.Items)
		return
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(s.out.Methods, func(o *golang.Method) bool { return o.Name == name || o.Pages != nil && o.Pages.Name == name })
	}
	name := "All" + m.Name
	for taken(name) {
		name += "Items"
	}
	kind := map[string]string{"offset": "ByOffset", "page": "ByPage", "link": "ByLink"}[p.Kind]
	m.Pages = &golang.Pages{Name: name, Item: item, Kind: kind, Param: p.Param, Items: p.Items, Next: p.Next, More: p.More, Total: p.Total, First: p.First,
		Doc: wrap(name+" yields the items that "+m.Name+" gives, page after page, beginning with the page that in asks for.", "")}
}

// itemOf is the Go type of the items in a list of an operation's reply.
func itemOf(op *operation, pointer string, decls map[string]golang.Decl) (golang.Ref, bool) {
	at := op.method.Out
	if op.shape.kind == made {
		i := slices.IndexFunc(op.method.Op.Replies, func(r *golang.Reply) bool { return !r.Failure && r.Body != nil })
		st, ok := decls[at.Name].(*golang.Struct)
		if i < 0 || !ok {
			return at, false
		}
		f, ok := fieldOf(st, func(f *golang.Field) bool { return f.Name == op.method.Op.Replies[i].Body.GoField })
		if !ok {
			return at, false
		}
		at = f
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		st, ok := decls[through(at, decls).Name].(*golang.Struct)
		if !ok {
			return at, false
		}
		tag := `json:"` + strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if at, ok = fieldOf(st, func(f *golang.Field) bool { return f.Tag == tag+`"` || strings.HasPrefix(f.Tag, tag+`,`) }); !ok {
			return at, false
		}
	}
	at = through(at, decls)
	item, ok := strings.CutPrefix(at.Prefix, "[]")
	at.Prefix = strings.TrimPrefix(item, "*")
	return at, ok && !(at.Prefix == "" && at.Pkg == "" && at.Name == "byte")
}

func fieldOf(st *golang.Struct, is func(*golang.Field) bool) (golang.Ref, bool) {
	if i := slices.IndexFunc(st.Fields, is); i >= 0 {
		return st.Fields[i].Type, true
	}
	return golang.Ref{}, false
}

// through looks through pointers, optional values and names of other types.
func through(r golang.Ref, decls map[string]golang.Decl) golang.Ref {
	for range 10 {
		r.Prefix = strings.TrimPrefix(r.Prefix, "*")
		if r.Name == "Opt" && len(r.Args) == 1 {
			r = r.Args[0]
			continue
		}
		n, ok := decls[r.Name].(*golang.Named)
		if r.Pkg != "" || r.Prefix != "" || !ok {
			return r
		}
		r = n.Type
	}
	return r
}

// servers names what the contract says of where it is served.
func (p *pass) servers() {
	if p.c.Format != contract.OpenAPI {
		return
	}
	for i, c := range p.c.Servers {
		u, err := url.Parse(filled(c))
		if err != nil || c.URL == "" || c.URL == "/" {
			continue
		}
		base, doc := "ServerURL", "is a server of the contract, a target for concordat.NewConn."
		if u.Host == "" {
			base, doc = "BasePath", "is where on its host the contract is served: see Server.Below."
		}
		word := ""
		if i > 0 || c.Name != "" {
			word = serverWord(c)
		}
		s := &golang.Server{Name: p.names.name(word + base), URL: c.URL}
		if s.Doc = wrap(s.Name+" "+doc, ""); c.Doc.Detail != "" {
			s.Doc = append(append(s.Doc, ""), paragraphs(c.Doc.Detail)...)
		}
		p.variables(s, c)
		p.out.Servers = append(p.out.Servers, s)
	}
}

// filled is a server's URL with something in place of its variables.
func filled(c *contract.Server) string {
	out := c.URL
	for _, name := range templateNames(c.URL) {
		value := "1"
		if i := slices.IndexFunc(c.Vars, func(v *contract.Variable) bool { return v.Name == name }); i >= 0 && c.Vars[i].Default != "" {
			value = c.Vars[i].Default
		}
		out = strings.ReplaceAll(out, "{"+name+"}", value)
	}
	return out
}

// serverWord tells a server from others: by its name, or a short description.
func serverWord(c *contract.Server) string {
	text := c.Name
	if text == "" && len(strings.Fields(c.Doc.Detail)) <= 3 {
		text = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(c.Doc.Detail)), "."), " server")
	}
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return exported(text)
}

// variables adds those that stand in a server's URL.
func (p *pass) variables(s *golang.Server, c *contract.Server) {
	names := fieldScope()
	for _, name := range templateNames(c.URL) {
		f := &golang.ServerVariable{Field: names.name(exported(name), "Value"), Name: name}
		i := slices.IndexFunc(c.Vars, func(v *contract.Variable) bool { return v.Name == name })
		if i < 0 {
			p.warn("undeclared-variable", c.Span, "the server's URL has the variable %q, which is not declared", name).Help = "add it to variables, with a default"
		} else {
			v := c.Vars[i]
			f.Default, f.Enum, f.Doc = v.Default, v.Enum, fieldDoc(v.Doc)
			if v.Default != "" {
				f.Comment = oneLine(v.Default) + " unless set"
			}
			if len(v.Enum) > 0 {
				f.Comment = strings.TrimPrefix(f.Comment+"; "+oneLine(strings.Join(v.Enum, ", ")), "; ")
			}
		}
		s.Fields = append(s.Fields, f)
	}
	if len(s.Fields) > 0 {
		s.Vars = p.names.name(strings.TrimSuffix(s.Name, "URL")+"Variables", "Set")
	}
}

// docHooks words the comments of a service that the contract's owner calls, and others
// implement.
func (p *pass) docHooks(s *contract.Service, out *golang.Service) {
	if s.Role == "" {
		return
	}
	out.Doc = wrap(out.Name+" are the "+s.Role+" of this contract: its owner sends them by "+out.Client+", and who gets them implements the interface.", "")
	out.ClientDoc = []string{out.Client + " sends " + s.Role + "."}
	out.NewDoc = wrap(out.New+" returns a client that sends over conn: one of concordat.NewHook sends to exactly the URL that the receiver gave.", "")
	out.RegisterDoc = wrap(out.Register+" receives "+s.Role+" on s, each at its name; Server.Below moves them.", "")
}

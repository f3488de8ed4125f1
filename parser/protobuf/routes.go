package protobuf

import (
	"fmt"
	"strings"

	httpapi "google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/concordat-dev/concordat/contract"
)

// routes reads google.api.http of a method. A rule that cannot work is a finding and left
// out, since gRPC is there all the same.
func (b *builder) routes(m protoreflect.MethodDescriptor, seen map[string]string) []*contract.Route {
	if !proto.HasExtension(m.Options(), httpapi.E_Http) {
		return nil
	}
	rule, ok := proto.GetExtension(m.Options(), httpapi.E_Http).(*httpapi.HttpRule)
	if !ok {
		return nil
	}
	var out []*contract.Route
	for _, one := range append([]*httpapi.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		r := routeOf(one)
		if r == nil {
			continue // a rule may only carry others
		}
		r.Span = b.span(m)
		shape, err := judge(r, m)
		if err != nil {
			b.found.Warnf("http-rule", r.Span, "the route %s %s of %s cannot work: %v", r.Method, r.Path, m.Name(), err).Help =
				"it is left out; google/api/http.proto says what a rule may be"
			continue
		}
		if first, taken := seen[shape]; taken {
			b.found.Warnf("duplicate-route", r.Span, "the route %s %s of %s fits the same requests as %s", r.Method, r.Path, m.Name(), first).Help = "it is left out"
			continue
		}
		seen[shape] = "that of " + string(m.Name())
		out = append(out, r)
	}
	return out
}

// routeOf is what a rule says; nil where it names no method and path.
func routeOf(rule *httpapi.HttpRule) *contract.Route {
	r := &contract.Route{Body: rule.GetBody(), Reply: rule.GetResponseBody()}
	switch p := rule.GetPattern().(type) {
	case *httpapi.HttpRule_Get:
		r.Method, r.Path = "GET", p.Get
	case *httpapi.HttpRule_Put:
		r.Method, r.Path = "PUT", p.Put
	case *httpapi.HttpRule_Post:
		r.Method, r.Path = "POST", p.Post
	case *httpapi.HttpRule_Delete:
		r.Method, r.Path = "DELETE", p.Delete
	case *httpapi.HttpRule_Patch:
		r.Method, r.Path = "PATCH", p.Patch
	case *httpapi.HttpRule_Custom:
		r.Method, r.Path = strings.ToUpper(p.Custom.GetKind()), p.Custom.GetPath()
	}
	if r.Method == "" && r.Path == "" {
		return nil
	}
	return r
}

// judge checks everything that a route names, and returns what it fits: routes of one
// shape cannot be told apart.
func judge(r *contract.Route, m protoreflect.MethodDescriptor) (shape string, err error) {
	segments, verb, err := r.Segments()
	if err != nil {
		return "", err
	}
	shape = r.Method + " "
	for _, s := range segments {
		switch {
		case s.Text != "":
			shape += "/" + s.Text
		case s.Rest:
			shape += "/**"
		default:
			shape += "/*"
		}
		if s.Field == "" {
			continue
		}
		if err := filled(m.Input(), s.Field); err != nil {
			return "", err
		}
	}
	if r.Body != "" && r.Body != "*" && m.Input().Fields().ByName(protoreflect.Name(r.Body)) == nil {
		return "", fmt.Errorf("%s has no field %s for the body", m.Input().FullName(), r.Body)
	}
	if r.Reply != "" && m.Output().Fields().ByName(protoreflect.Name(r.Reply)) == nil {
		return "", fmt.Errorf("%s has no field %s for the body of the reply", m.Output().FullName(), r.Reply)
	}
	return shape + ":" + verb, nil
}

// filled says why a path cannot fill a field of md.
func filled(md protoreflect.MessageDescriptor, path string) error {
	names := strings.Split(path, ".")
	for i, name := range names {
		fd := md.Fields().ByName(protoreflect.Name(name))
		switch {
		case fd == nil:
			return fmt.Errorf("%s has no field %s", md.FullName(), name)
		case fd.IsList() || fd.IsMap():
			return fmt.Errorf("%s holds many values, and a path fills in one", fd.FullName())
		case i == len(names)-1:
			return nil
		case fd.Message() == nil:
			return fmt.Errorf("%s holds no fields", fd.FullName())
		}
		md = fd.Message()
	}
	return nil
}

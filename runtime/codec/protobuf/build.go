package protobuf

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/runtime/protoimpl"
)

// A layout is the fields of a generated struct by what they are for.
type layout struct {
	numbers  map[protowire.Number]reflect.StructField
	oneofs   map[protoreflect.Name]reflect.StructField
	wrappers map[protowire.Number]reflect.Type
	unknown  *reflect.StructField
	ext      *reflect.StructField
	opaque   bool
}

// build fills t from the descriptor of its message; what does not fit is generic.
func build(t *table) {
	info := infoOf(t.goType)
	if info == nil {
		t.generic = true
		return
	}
	md := info.Desc
	t.name = md.FullName()
	l := layoutOf(t.goType, info.OneofWrappers)
	if l.opaque || l.unknown == nil || l.unknown.Type != reflect.TypeFor[protoimpl.UnknownFields]() || isMessageSet(md) {
		t.generic = true
		return
	}
	t.unknown = l.unknown.Offset
	if l.ext != nil {
		t.hasExt, t.ext = true, l.ext.Offset
		t.generic = l.ext.Type != reflect.TypeFor[protoimpl.ExtensionFields]()
	} else if md.ExtensionRanges().Len() > 0 {
		t.generic = true
	}
	b := &builder{table: t, layout: l}
	b.fields(md)
	b.index()
	b.probes()
	b.batches()
}

// infoOf is what protobuf-go knows of a generated message.
func infoOf(t reflect.Type) *protoimpl.MessageInfo {
	m, ok := reflect.Zero(reflect.PointerTo(t)).Interface().(proto.Message)
	if !ok {
		return nil
	}
	r, ok := m.ProtoReflect().(interface {
		ProtoMessageInfo() *protoimpl.MessageInfo
	})
	if !ok {
		return nil
	}
	info := r.ProtoMessageInfo()
	if info == nil || info.Desc == nil || info.GoReflectType != reflect.PointerTo(t) {
		return nil
	}
	return info
}

func isMessageSet(md protoreflect.MessageDescriptor) bool {
	set, ok := md.(interface{ IsMessageSet() bool })
	return ok && set.IsMessageSet()
}

func layoutOf(t reflect.Type, wrappers []any) layout {
	l := layout{map[protowire.Number]reflect.StructField{}, map[protoreflect.Name]reflect.StructField{}, map[protowire.Number]reflect.Type{}, nil, nil, false}
	for f := range t.Fields() {
		switch f.Name {
		case "state":
			l.opaque = l.opaque || strings.HasPrefix(f.Tag.Get("protogen"), "opaque.")
		case "unknownFields":
			l.unknown = &f
		case "extensionFields":
			l.ext = &f
		case "XXX_presence", "XXX_lazyUnmarshalInfo":
			l.opaque = true
		default:
			if n, ok := numberOf(f); ok {
				l.numbers[n] = f
			} else if name := f.Tag.Get("protobuf_oneof"); name != "" {
				l.oneofs[protoreflect.Name(name)] = f
			}
		}
	}
	for _, w := range wrappers {
		t := reflect.TypeOf(w).Elem()
		if n, ok := numberOf(t.Field(0)); ok {
			l.wrappers[n] = t
		}
	}
	return l
}

// numberOf is the number of a field in its tag: `protobuf:"varint,1,opt,name=id"`.
func numberOf(f reflect.StructField) (protowire.Number, bool) {
	for s := range strings.SplitSeq(f.Tag.Get("protobuf"), ",") {
		if n, err := strconv.ParseInt(s, 10, 32); err == nil {
			return protowire.Number(n), true
		}
	}
	return 0, false
}

// A builder fills one table.
type builder struct {
	table  *table
	layout layout
	decode []field // one for each number
}

// fields makes the lines of all fields: in the order in which protobuf-go writes them,
// which is by number, then oneofs as declared.
func (b *builder) fields(md protoreflect.MessageDescriptor) {
	all := make([]protoreflect.FieldDescriptor, 0, md.Fields().Len())
	for i := range md.Fields().Len() {
		all = append(all, md.Fields().Get(i))
	}
	slices.SortFunc(all, func(x, y protoreflect.FieldDescriptor) int { return int(x.Number()) - int(y.Number()) })
	for _, fd := range all {
		if od := fd.ContainingOneof(); od != nil && !od.IsSynthetic() {
			continue
		}
		sf, ok := b.layout.numbers[fd.Number()]
		f, fits := b.field(fd, sf.Type)
		if !ok || !fits {
			b.table.generic = true
			return
		}
		f.off, f.op = sf.Offset, f.frequent()
		b.table.fields = append(b.table.fields, f)
		b.decode = append(b.decode, f)
	}
	for i := range md.Oneofs().Len() {
		if od := md.Oneofs().Get(i); !od.IsSynthetic() && !b.oneof(od) {
			b.table.generic = true
			return
		}
	}
}

// field makes the line of a field of Go type t; false: the type is not the one expected.
func (b *builder) field(fd protoreflect.FieldDescriptor, t reflect.Type) (field, bool) {
	if t == nil {
		return field{}, false
	}
	f := scalar(fd)
	if fd.Cardinality() == protoreflect.Required {
		f.want = true
		if b.table.require < 64 {
			f.need = 1 << b.table.require
		}
		b.table.require++
	}
	switch {
	case fd.IsMap():
		return b.mapField(f, fd, t)
	case fd.IsList():
		f.shape = shapeList
		if fd.IsPacked() {
			f.shape = shapePacked
			f.setTag(protowire.BytesType)
			f.expect = protowire.BytesType
		}
		return f, t.Kind() == reflect.Slice && f.holds(t.Elem())
	case f.kind == kindMessage, f.kind == kindGroup, f.kind == kindBytes && fd.HasPresence():
		f.shape = shapePresent
	case fd.HasPresence():
		f.shape = shapePointer
		return f, t.Kind() == reflect.Pointer && f.holds(t.Elem())
	}
	return f, f.holds(t)
}

// oneof makes the lines of a oneof: one to write, and one to read for each member.
func (b *builder) oneof(od protoreflect.OneofDescriptor) bool {
	sf, ok := b.layout.oneofs[od.Name()]
	if !ok || sf.Type.Kind() != reflect.Interface {
		return false
	}
	whole := field{off: sf.Offset, shape: shapeOneof, more: &detail{}}
	for i := range od.Fields().Len() {
		fd := od.Fields().Get(i)
		w := b.layout.wrappers[fd.Number()]
		if w == nil || w.Kind() != reflect.Struct || w.NumField() != 1 || !reflect.PointerTo(w).Implements(sf.Type) {
			return false
		}
		f := scalar(fd)
		if !f.holds(w.Field(0).Type) {
			return false
		}
		itab, ok := itabOf(sf.Type, w)
		if !ok {
			return false
		}
		f.more = &detail{itab: itab, wrapper: w}
		whole.more.members = append(whole.more.members, f)
		f.off, f.shape = sf.Offset, shapeOneof
		b.decode = append(b.decode, f)
	}
	b.table.fields = append(b.table.fields, whole)
	return true
}

// An iface is an interface with methods as the compiler lays it out. itabOf makes sure
// that it is so.
type iface struct {
	itab uintptr // no pointer: itabs are not on the heap
	data unsafe.Pointer
}

// itabOf is the first word of an interface of type t that holds a *wrapper.
func itabOf(t, wrapper reflect.Type) (uintptr, bool) {
	have, made := reflect.New(t), reflect.New(t)
	have.Elem().Set(reflect.New(wrapper))
	value := reflect.New(wrapper)
	from, to := (*iface)(have.UnsafePointer()), (*iface)(made.UnsafePointer())
	to.data, to.itab = value.UnsafePointer(), from.itab
	back := made.Elem().Elem()
	return from.itab, t.Size() == unsafe.Sizeof(iface{}) && back.Type() == value.Type() && back.UnsafePointer() == value.UnsafePointer()
}

// scalar is the line of one value of a field.
func scalar(fd protoreflect.FieldDescriptor) field {
	k := kinds[fd.Kind()]
	f := field{num: fd.Number(), kind: k.kind, wire: k.wire, expect: k.wire, utf8: k.kind == kindString && enforceUTF8(fd), name: fd.FullName()}
	f.setTag(f.wire)
	return f
}

func (f *field) setTag(w protowire.Type) {
	f.tagLen = uint8(len(protowire.AppendTag(f.tag[:0], f.num, w)))
}

// enforceUTF8 says whether strings of a field must be UTF-8: by feature in editions, and
// always in proto3.
func enforceUTF8(fd protoreflect.FieldDescriptor) bool {
	if fd.Syntax() == protoreflect.Editions {
		if fd, ok := fd.(interface{ EnforceUTF8() bool }); ok {
			return fd.EnforceUTF8()
		}
	}
	return fd.Syntax() == protoreflect.Proto3
}

var kinds = [...]struct {
	kind kind
	wire protowire.Type
}{
	protoreflect.BoolKind:     {kindBool, protowire.VarintType},
	protoreflect.EnumKind:     {kindInt32, protowire.VarintType},
	protoreflect.Int32Kind:    {kindInt32, protowire.VarintType},
	protoreflect.Sint32Kind:   {kindSint32, protowire.VarintType},
	protoreflect.Uint32Kind:   {kindUint32, protowire.VarintType},
	protoreflect.Int64Kind:    {kind64, protowire.VarintType},
	protoreflect.Sint64Kind:   {kindSint64, protowire.VarintType},
	protoreflect.Uint64Kind:   {kind64, protowire.VarintType},
	protoreflect.Sfixed32Kind: {kindFixed32, protowire.Fixed32Type},
	protoreflect.Fixed32Kind:  {kindFixed32, protowire.Fixed32Type},
	protoreflect.FloatKind:    {kindFixed32, protowire.Fixed32Type},
	protoreflect.Sfixed64Kind: {kindFixed64, protowire.Fixed64Type},
	protoreflect.Fixed64Kind:  {kindFixed64, protowire.Fixed64Type},
	protoreflect.DoubleKind:   {kindFixed64, protowire.Fixed64Type},
	protoreflect.StringKind:   {kindString, protowire.BytesType},
	protoreflect.BytesKind:    {kindBytes, protowire.BytesType},
	protoreflect.MessageKind:  {kindMessage, protowire.BytesType},
	protoreflect.GroupKind:    {kindGroup, protowire.StartGroupType},
}

// holds says whether Go values of type t are those of the field, and finds the table of
// messages.
func (f *field) holds(t reflect.Type) bool {
	switch f.kind {
	case kindMessage, kindGroup:
		if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
			return false
		}
		f.sub = tableOf(t.Elem())
		return true
	case kindBytes:
		return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	case kindString:
		return t.Kind() == reflect.String
	case kindBool:
		return t.Kind() == reflect.Bool
	case kindInt32, kindSint32:
		return t.Kind() == reflect.Int32
	case kindUint32:
		return t.Kind() == reflect.Uint32
	case kindFixed32:
		return t.Kind() == reflect.Int32 || t.Kind() == reflect.Uint32 || t.Kind() == reflect.Float32
	case kindFixed64:
		return t.Kind() == reflect.Int64 || t.Kind() == reflect.Uint64 || t.Kind() == reflect.Float64
	case kind64, kindSint64:
		return t.Kind() == reflect.Int64 || t.Kind() == reflect.Uint64
	}
	return false
}

// probes says how to find out that a field is not set, and how to write it.
func (b *builder) probes() {
	for i := range b.table.fields {
		f := &b.table.fields[i]
		b.table.probes = append(b.table.probes, probe{f.off, f.sub, f.op, f.utf8, f.tagLen, [2]byte(f.tag[:2])})
	}
}

func (f *field) frequent() op {
	switch f.shape {
	case shapePlain:
		return plainOps[f.kind]
	case shapePresent:
		if f.kind == kindMessage {
			return opMessage
		}
	case shapePacked:
		return opPacked
	case shapeList:
		if f.kind == kindMessage {
			return opMessages
		}
		return opList
	}
	return opWord
}

var plainOps = [...]op{
	kindInt32: opInt32, kind64: op64, kindBool: opBool, kindString: opString, kindBytes: opString,
	kindUint32: opOther32, kindSint32: opOther32, kindFixed32: opOther32, kindSint64: opOther64, kindFixed64: opOther64,
}

// index makes the ways from numbers to lines.
func (b *builder) index() {
	top := protowire.Number(0)
	for _, f := range b.decode {
		if f.num < 64 || int(f.num) < 4*len(b.decode) {
			top = max(top, f.num)
		}
	}
	b.table.dense = make([]*field, top+1)
	b.table.sparse = map[protowire.Number]*field{}
	for i := range b.decode {
		if f := &b.decode[i]; f.num <= top {
			b.table.dense[f.num] = f
		} else {
			b.table.sparse[f.num] = f
		}
	}
}

const batchBytes = 2 << 10 // that at most are kept alive by one of them

// batches finds the arrays that neighbours in a list are allocated in: of 2, 4 and 8.
func (b *builder) batches() {
	for i := range b.table.batch {
		if n := 2 << i; uintptr(n)*b.table.goType.Size() <= batchBytes {
			b.table.batch[i] = reflect.ArrayOf(n, b.table.goType)
		}
	}
}

package templates

import (
	"strconv"

	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// bodyFormat prints what writes a body that is no JSON; nothing for one that is.
func bodyFormat(x *golang.XMLFormat, a *golang.AvroFormat) block.Code {
	if a != nil {
		return avroFormat(a)
	}
	return xmlFormat(x)
}

// avroFormat prints avro.Schema(`{"type":"record",...}`).Framed(7).
func avroFormat(f *golang.AvroFormat) block.Code {
	schema := block.Call(block.Qual(codecPath+"/avro", "Schema"), block.String(f.Schema))
	if !f.Framed {
		return schema
	}
	return block.Call(block.Seq(schema, block.Src(".Framed")), block.Src(strconv.FormatUint(uint64(f.ID), 10)))
}

// protoValue prints protovalue.Of[userpb.User]().
func protoValue(v *golang.ProtoValue) block.Code {
	if v == nil {
		return nil
	}
	name := "Of"
	if v.JSON {
		name = "JSONOf"
	}
	return block.Call(block.Generic(block.Qual(codecPath+"/protovalue", name), ref("", v.Of)))
}

// cloud prints &stub.Cloud{Off: unsafe.Offsetof(Placed{}.Event), Type: "com.example.placed"}.
func cloud(c *golang.Cloud) block.Code {
	if c == nil {
		return nil
	}
	return block.Address(block.Struct(stub("Cloud"),
		block.Pair{Key: "Off", Value: offset(c.Owner, c.Field)},
		block.Pair{Key: "Structured", Value: truth(c.Structured)},
		block.Pair{Key: "Type", Value: text(c.Type)},
		block.Pair{Key: "Source", Value: text(c.Source)},
	))
}

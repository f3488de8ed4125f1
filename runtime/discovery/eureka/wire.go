package eureka

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An answer is what /apps and /apps/delta say.
type answer struct {
	Hash string            `json:"apps__hashcode" xml:"apps__hashcode"`
	Apps many[application] `json:"application" xml:"application"`
}

type application struct {
	Name      string         `json:"name" xml:"name"`
	Instances many[instance] `json:"instance" xml:"instance"`
}

// An instance is an InstanceInfo, as far as we read it.
type instance struct {
	ID         string     `json:"instanceId" xml:"instanceId"`
	Host       string     `json:"hostName" xml:"hostName"`
	IP         string     `json:"ipAddr" xml:"ipAddr"`
	Status     string     `json:"status" xml:"status"`
	Port       port       `json:"port" xml:"port"`
	Secure     port       `json:"securePort" xml:"securePort"`
	Meta       text       `json:"metadata" xml:"metadata"`
	Action     string     `json:"actionType" xml:"actionType"`
	Lease      lease      `json:"leaseInfo" xml:"leaseInfo"`
	DataCenter dataCenter `json:"dataCenterInfo" xml:"dataCenterInfo"`
}

type dataCenter struct {
	Meta text `json:"metadata" xml:"metadata"`
}

type lease struct {
	Seconds int64 `json:"durationInSecs" xml:"durationInSecs"`
	Renewed int64 `json:"lastRenewalTimestamp" xml:"lastRenewalTimestamp"` // ms, by the server's clock
}

// many is an array for which a lone object may stand.
type many[T any] []T

// UnmarshalJSON reads both.
func (m *many[T]) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '{' {
		*m = make(many[T], 1)
		return json.Unmarshal(b, &(*m)[0])
	}
	return json.Unmarshal(b, (*[]T)(m))
}

// A port is {"$":8080,"@enabled":"true"}, with strings and the real things at will, or
// <port enabled="true">8080</port>.
type port struct {
	Number  int  `xml:",chardata"`
	Enabled bool `xml:"enabled,attr"`
}

// UnmarshalJSON reads the JSON form.
func (p *port) UnmarshalJSON(b []byte) error {
	var raw struct {
		Number  json.RawMessage `json:"$"`
		Enabled json.RawMessage `json:"@enabled"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.Trim(string(raw.Number), `"`))
	if err != nil {
		return fmt.Errorf("a port that is %.20q", raw.Number)
	}
	p.Number, p.Enabled = n, strings.Trim(string(raw.Enabled), `"`) == "true"
	return nil
}

// text is a mapping of strings; Java's class names within it are left out, and so is what
// is not text.
type text map[string]string

// UnmarshalJSON reads the JSON form.
func (m *text) UnmarshalJSON(b []byte) error {
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*m = text{}
	for k, v := range raw {
		if s, ok := v.(string); ok && k != "@class" {
			(*m)[k] = s
		}
	}
	return nil
}

// UnmarshalXML reads <k>v</k>….
func (m *text) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var raw struct {
		All []struct {
			XMLName xml.Name
			Value   string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := d.DecodeElement(&raw, &start); err != nil {
		return err
	}
	*m = text{}
	for _, e := range raw.All {
		(*m)[e.XMLName.Local] = e.Value
	}
	return nil
}

// decode understands JSON, which we ask for, and XML, which some answer all the same.
func decode(b []byte) (*answer, error) {
	if t := bytes.TrimSpace(b); len(t) > 0 && t[0] == '<' {
		a := struct {
			XMLName xml.Name `xml:"applications"`
			answer
		}{}
		if err := xml.Unmarshal(b, &a); err != nil {
			return nil, fmt.Errorf("the answer is neither JSON nor Eureka's XML: %w", err)
		}
		return &a.answer, nil
	}
	var a struct{ Applications *answer }
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, fmt.Errorf("the answer is not the JSON expected: %w", err)
	}
	if a.Applications == nil {
		return nil, errors.New("the answer has no applications; is this Eureka? Spring's base path is /eureka, Netflix's /eureka/v2")
	}
	return a.Applications, nil
}

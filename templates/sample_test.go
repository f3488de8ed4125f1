package templates

import "github.com/concordat-dev/concordat/templates/golang"

// The samples are small packages, one per wire, with one of everything.

func local(name string) golang.Ref            { return golang.Ref{Name: name} }
func imported(pkg, name string) golang.Ref    { return golang.Ref{Pkg: pkg, Name: name} }
func prefixed(prefix, name string) golang.Ref { return golang.Ref{Prefix: prefix, Name: name} }
func use(name string) *golang.Table           { return &golang.Table{Use: name} }
func std(name string) *golang.Table           { return &golang.Table{Std: name} }
func object(v, of string) *golang.Table {
	return &golang.Table{Var: v, Kind: "Object", Of: new(local(of)), Methods: true}
}
func path(owner, name, field string) *golang.Param {
	return &golang.Param{Place: "Path", Field: &golang.TableField{Name: name, Kind: "UUID", Owner: owner, GoField: field, Flags: []string{"Req"}}}
}

func customer() *golang.Struct {
	return &golang.Struct{
		Name: "Customer", Doc: []string{"A Customer buys things."}, Markers: []string{"isParty"},
		Fields: []*golang.Field{
			{Name: "ID", Type: imported(concordatPath, "UUID"), Tag: `json:"id"`},
			{Name: "Name", Type: prefixed("*", "string"), Tag: `json:"name,omitzero"`, Comment: "1 to 100 characters"},
			{Name: "Tags", Type: prefixed("[]", "string"), Tag: `json:"tags,omitzero"`, Doc: []string{"Tags group customers."}},
		},
	}
}

func customerTable() *golang.Table {
	t := object("customerTable", "Customer")
	t.Required = 1
	t.Fields = []*golang.TableField{
		{Name: "id", Kind: "UUID", Owner: "Customer", GoField: "ID", Flags: []string{"Req"}},
		{Name: "name", Kind: "String", Owner: "Customer", GoField: "Name", Flags: []string{"Ptr"}, Rules: &golang.Rule{MinLen: "1", MaxLen: "100"}},
		{Name: "tags", Kind: "Slice", Owner: "Customer", GoField: "Tags", Table: std("StringsTable")},
	}
	return t
}

func paymentTable() *golang.Table {
	return &golang.Table{Var: "paymentTable", Kind: "Union", Of: new(local("Payment")), Union: &golang.TableUnion{
		Of: local("Payment"), Tag: "kind", Variants: []*golang.TableVariant{
			{Of: local("Card"), Tags: []string{"card"}, Table: use("cardTable")},
			{Of: local("IBAN"), Tags: []string{"iban", "sepa"}, Table: use("ibanTable")},
		},
	}}
}

func payments() ([]golang.Decl, []*golang.Table) {
	card, iban := object("cardTable", "Card"), object("ibanTable", "IBAN")
	card.Required, card.Closed = 2, true
	card.Fields = []*golang.TableField{
		{Name: "kind", Kind: "Const", Table: &golang.Table{Kind: "Const", Const: `"card"`}, Flags: []string{"Req"}},
		{Name: "last`4", Kind: "String", Owner: "Card", GoField: "Last4", Flags: []string{"Req"}, Rules: &golang.Rule{Pattern: `^\d{4}$`}},
	}
	iban.Fields = []*golang.TableField{{Name: "iban", Kind: "String", Owner: "IBAN", GoField: "IBAN", Flags: []string{"Ptr"}}}
	iban.Extra = &golang.Table{Kind: "Map", Elem: std("RawTable"), MapOf: new(imported("encoding/json", "RawMessage"))}
	iban.ExtraOf = "Extra"
	return []golang.Decl{
		&golang.Union{Name: "Payment", Doc: []string{"A Payment is how an order is paid."}, Marker: "isPayment", Variants: []golang.Ref{local("Card"), local("IBAN")}},
		&golang.Struct{Name: "Card", Markers: []string{"isPayment"}, Fields: []*golang.Field{{Name: "Last4", Type: local("string"), Tag: "json:\"last`4\""}}},
		&golang.Struct{Name: "IBAN", Markers: []string{"isPayment"}, Fields: []*golang.Field{
			{Name: "IBAN", Type: prefixed("*", "string"), Tag: `json:"iban,omitzero"`},
			{Name: "Extra", Type: golang.Ref{Prefix: "map[string]", Pkg: "encoding/json", Name: "RawMessage"}, Tag: `json:"-"`, Comment: "other properties"},
		}},
	}, []*golang.Table{paymentTable(), card, iban}
}

func status() *golang.Enum {
	return &golang.Enum{Name: "Status", Doc: []string{"A Status is how far an order is."}, Type: local("string"), Values: []*golang.EnumValue{
		{Name: "StatusPaid", Value: `"paid"`},
		{Name: "StatusLost", Value: `"lost"`, Doc: []string{"StatusLost cannot be found."}},
	}}
}

func tags() *golang.Named {
	return &golang.Named{Name: "Tags", Doc: []string{"Tags group customers."}, Type: prefixed("[]", "string")}
}

// node refers to itself.
func node() (golang.Decl, *golang.Table) {
	t := object("nodeTable", "Node")
	t.Fields = []*golang.TableField{
		{Name: "next", Kind: "Lazy", Owner: "Node", GoField: "Next", Flags: []string{"Ptr", "Null"}, Table: &golang.Table{Kind: "Lazy", Of: new(local("Node")), Lazy: new(local("Node"))}},
		{Name: "status", Kind: "Enum", Owner: "Node", GoField: "Status", Table: use("statusTable"), Flags: []string{"Ptr"}},
		{Name: "payment", Kind: "Union", Owner: "Node", GoField: "Payment", Table: use("paymentTable")},
		{Name: "weight", Kind: "Float64", Owner: "Node", GoField: "Weight", Flags: []string{"Ptr"}, Rules: &golang.Rule{FMin: "0", FMinExcl: true}},
	}
	return &golang.Struct{Name: "Node", Doc: []string{"A Node is one of a chain."}, Fields: []*golang.Field{
		{Name: "Next", Type: prefixed("*", "Node"), Tag: `json:"next,omitzero"`},
		{Name: "Status", Type: prefixed("*", "Status"), Tag: `json:"status,omitzero"`},
		{Name: "Payment", Type: local("Payment"), Tag: `json:"payment,omitzero"`},
		{Name: "Weight", Type: prefixed("*", "float64"), Tag: `json:"weight,omitzero"`, Comment: "more than 0"},
	}}, t
}

func getCustomer() *golang.Method {
	return &golang.Method{
		Name: "GetCustomer", Var: "getCustomer", Sig: golang.Call, In: local("GetCustomerRequest"), Out: local("Customer"),
		Doc: []string{"GetCustomer returns one customer.", "", "\tGET /customers/{customerId}", "\t404 Problem"},
		Op: &golang.Op{
			Name: "users.Users/GetCustomer", Kind: "Unary", Route: "GET /customers/{customerId}", Idempotent: true,
			Params: []*golang.Param{path("GetCustomerRequest", "customerId", "CustomerID")},
			Replies: []*golang.Reply{
				{Status: 200, Media: "application/json", Body: &golang.TableField{Kind: "Object", Table: use("customerTable")}},
				{Status: 404, Failure: true, Media: "application/problem+json", Body: &golang.TableField{Kind: "Object", Table: use("problemTable")}},
			},
		},
	}
}

func deleteCustomer() *golang.Method {
	return &golang.Method{
		Name: "DeleteCustomer", Var: "deleteCustomer", Sig: golang.Exec, In: local("DeleteCustomerRequest"),
		Doc: []string{"DeleteCustomer forgets a customer.", "", "\tDELETE /customers/{customerId}"},
		Op: &golang.Op{
			Name: "users.Users/DeleteCustomer", Kind: "Unary", Route: "DELETE /customers/{customerId}", Idempotent: true,
			Params:  []*golang.Param{path("DeleteCustomerRequest", "customerId", "CustomerID")},
			Replies: []*golang.Reply{{Status: 204}},
		},
	}
}

func putCustomer() *golang.Method {
	return &golang.Method{
		Name: "PutCustomer", Var: "putCustomer", Sig: golang.Call, In: local("PutCustomerRequest"), Out: local("PutCustomerResponse"),
		Doc: []string{"PutCustomer stores a customer.", "", "\tPUT /customers/{customerId}"},
		Op: &golang.Op{
			Name: "users.Users/PutCustomer", Kind: "Unary", Route: "PUT /customers/{customerId}", Idempotent: true, Status: "Status", Security: "needsAPIKeyOrOAuth",
			Params: []*golang.Param{path("PutCustomerRequest", "customerId", "CustomerID"),
				{Place: "Query", Explode: true, Field: &golang.TableField{Name: "tag", Kind: "Slice", Table: std("StringsTable"), Owner: "PutCustomerRequest", GoField: "Tag", Rules: &golang.Rule{MaxLen: "9", Unique: true}}}},
			Bodies: []*golang.Body{{Media: "application/json", Field: &golang.TableField{Kind: "Object", Table: use("customerTable"), Owner: "PutCustomerRequest", GoField: "Body", Flags: []string{"Req"}}}},
			Replies: []*golang.Reply{
				{Status: 200, Media: "application/json", Body: &golang.TableField{Kind: "Object", Table: use("customerTable"), Owner: "PutCustomerResponse", GoField: "OK", Flags: []string{"Ptr"}},
					Headers: []*golang.Param{{Place: "Header", Field: &golang.TableField{Name: "ETag", Kind: "String", Owner: "PutCustomerResponse", GoField: "ETag", Flags: []string{"Ptr"}}}}},
				{Status: 201},
			},
		},
	}
}

func usersService() *golang.Service {
	return &golang.Service{
		Name: "Users", Doc: []string{"Users keeps customers."}, Wire: golang.REST,
		Client: "Client", ClientDoc: []string{"Client calls a Users service over a connection."},
		New: "NewClient", NewDoc: []string{"NewClient returns a client that calls over conn."},
		Register: "Register", RegisterDoc: []string{"Register serves impl on s."},
		Methods: []*golang.Method{getCustomer(), deleteCustomer()},
		Fake:    &golang.Fake{Name: "Users", Doc: []string{"Users implements users.Users with its fields. A method whose field is nil fails with", "concordat.Unimplemented."}},
	}
}

func request(name string, more ...*golang.Field) *golang.Struct {
	return &golang.Struct{Name: name, Doc: []string{name + " is the argument of a call."},
		Fields: append([]*golang.Field{{Name: "CustomerID", Type: imported(concordatPath, "UUID"), Comment: "path"}}, more...)}
}

// users is a REST service.
func users() *golang.Package {
	svc := usersService()
	svc.Methods = append(svc.Methods, putCustomer())
	problem := object("problemTable", "Problem")
	problem.Fields = []*golang.TableField{{Name: "title", Kind: "String", Owner: "Problem", GoField: "Title", Flags: []string{"Ptr"}}}
	chain, chainTable := node()
	paid, paidTables := payments()
	return &golang.Package{
		Path: "example.com/shop/users", Name: "users", FakePath: "example.com/shop/users/userstest", FakeName: "userstest",
		Doc: []string{"Package users is generated from a contract."}, Source: "contracts/users.yaml", Version: "v0.1.0",
		Schemes: []*golang.Scheme{apiKey(), oauth()}, Security: securities(),
		Units: []*golang.Unit{{
			Stem: "users", Services: []*golang.Service{svc},
			Types: append([]golang.Decl{customer(), tags(), status(), chain,
				&golang.Union{Name: "Party", Marker: "isParty", Variants: []golang.Ref{local("Customer")}},
				&golang.Struct{Name: "Problem", Fields: []*golang.Field{{Name: "Title", Type: prefixed("*", "string"), Tag: `json:"title,omitzero"`}}},
				request("GetCustomerRequest"), request("DeleteCustomerRequest"),
				request("PutCustomerRequest", &golang.Field{Name: "Tag", Type: prefixed("[]", "string"), Comment: "query"}, &golang.Field{Name: "Body", Type: local("Customer")}),
				&golang.Struct{Name: "PutCustomerResponse", Fields: []*golang.Field{{Name: "Status", Type: local("int")}, {Name: "OK", Type: prefixed("*", "Customer"), Comment: "200"}, {Name: "ETag", Type: prefixed("*", "string"), Comment: "header"}}},
			}, paid...),
			Tables: append([]*golang.Table{customerTable(), problem, chainTable,
				{Var: "statusTable", Kind: "Enum", Of: new(local("Status")), Enum: []string{"paid", "lost"}}}, paidTables...),
		}},
	}
}

// orders is a Protobuf service whose messages lie in another package.
func orders() *golang.Package {
	pb := "example.com/gen/retail/orders/v1"
	method := func(name, kind string, sig golang.Shape) *golang.Method {
		return &golang.Method{Name: name, Var: "orders" + name, Sig: sig, In: imported(pb, name+"Request"), Out: imported(pb, name+"Response"),
			Doc: []string{name + " is one shape."}, Op: &golang.Op{Name: "retail.orders.v1.Orders/" + name, Kind: kind, Route: "/retail.orders.v1.Orders/" + name}}
	}
	get, imports := method("Get", "Unary", golang.Call), method("Import", "ClientStream", golang.ClientStream)
	get.Routes = []golang.Route{{Method: "GET", Path: "/v1/{name=orders/*}"}, {Method: "POST", Path: "/v1/orders:get", Body: "*", Reply: "order"}}
	imports.Checked = true
	return &golang.Package{
		Path: "example.com/shop/ordersv1", Name: "ordersv1", FakePath: "example.com/shop/ordersv1/ordersv1test", FakeName: "ordersv1test",
		Source: "retail/orders/v1/orders.proto", Version: "v0.1.0", Names: map[string]string{pb: "pb"},
		Units: []*golang.Unit{{Stem: "orders", Services: []*golang.Service{{
			Name: "Orders", Doc: []string{"Orders is a service."}, Wire: golang.RPC, Client: "OrdersClient", ClientDoc: []string{"OrdersClient calls Orders."},
			New: "NewOrdersClient", NewDoc: []string{"NewOrdersClient returns a client."}, Register: "RegisterOrders", RegisterDoc: []string{"RegisterOrders serves impl on s."},
			Fake: &golang.Fake{Name: "Orders", Doc: []string{"Orders implements ordersv1.Orders with its fields."}},
			Methods: []*golang.Method{
				get, method("Watch", "ServerStream", golang.ServerStream), imports, method("Chat", "Bidi", golang.Bidi),
			},
		}}}},
	}
}

// activity exchanges messages.
func activity() *golang.Package {
	viewed := object("viewedTable", "Viewed")
	viewed.Fields = []*golang.TableField{{Name: "sku", Kind: "String", Owner: "Viewed", GoField: "SKU", Flags: []string{"Ptr"}}}
	payload := func(owner string) *golang.TableField {
		return &golang.TableField{Kind: "Object", Table: use("viewedTable"), Owner: owner, GoField: "Payload", Flags: []string{"Req"}}
	}
	fields := func(more ...*golang.Field) []*golang.Field {
		return append(more, &golang.Field{Name: "Payload", Type: local("Viewed")})
	}
	return &golang.Package{
		Path: "example.com/shop/activity", Name: "activity", FakePath: "example.com/shop/activity/activitytest", FakeName: "activitytest",
		Source: "contracts/activity.yaml", Version: "v0.1.0",
		Units: []*golang.Unit{{
			Stem: "activity",
			Types: []golang.Decl{
				&golang.Struct{Name: "Viewed", Doc: []string{"Viewed is a payload."}, Fields: []*golang.Field{{Name: "SKU", Type: prefixed("*", "string"), Tag: `json:"sku,omitzero"`}}},
				&golang.Struct{Name: "ProductViewed", Doc: []string{"ProductViewed is a message."}, Fields: fields(&golang.Field{Name: "CustomerID", Type: local("string"), Comment: "address"})},
				&golang.Struct{Name: "Ping", Doc: []string{"Ping is a message."}, Fields: fields()},
				&golang.Struct{Name: "Pong", Doc: []string{"Pong is a message."}, Fields: fields()},
			},
			Tables: []*golang.Table{viewed},
			Services: []*golang.Service{{
				Name: "Activity", Doc: []string{"Activity is what customers do."}, Wire: golang.Events, Client: "Publisher", ClientDoc: []string{"Publisher sends messages."},
				New: "NewPublisher", NewDoc: []string{"NewPublisher returns a publisher."}, Register: "Subscribe", RegisterDoc: []string{"Subscribe delivers messages to impl."},
				Fake: &golang.Fake{Name: "Activity", Doc: []string{"Activity implements activity.Activity with its fields."}},
				Methods: []*golang.Method{
					{Name: "ProductViewed", Var: "productViewed", Sig: golang.Publish, In: local("ProductViewed"), Doc: []string{"ProductViewed says what a customer saw."}, Op: &golang.Op{
						Name: "activity.Activity/ProductViewed", Kind: "Send", Route: "activity.{customerId}", Key: "CustomerID", DeadLetter: "activity.dead",
						Params:  []*golang.Param{{Place: "Address", Field: &golang.TableField{Name: "customerId", Kind: "String", Owner: "ProductViewed", GoField: "CustomerID", Flags: []string{"Req"}}}},
						Bodies:  []*golang.Body{{Media: "application/json", Field: payload("ProductViewed")}},
						Channel: []golang.Setting{{Protocol: "kafka", Key: "partitions", Value: "12"}, {Protocol: "mqtt", Key: "qos", Value: "1"}},
					}},
					{Name: "Ping", Var: "ping", Sig: golang.Ask, In: local("Ping"), Out: local("Pong"), Doc: []string{"Ping asks."}, Op: &golang.Op{
						Name: "activity.Activity/Ping", Kind: "Request", Route: "ping", ReplyRoute: "pong",
						Bodies:  []*golang.Body{{Media: "application/json", Field: payload("Ping")}},
						Replies: []*golang.Reply{{Media: "application/json", Body: payload("Pong")}},
					}},
				},
			}},
		}},
	}
}

package generator

import (
	"go/token"
	"testing"
	"unicode/utf8"
)

func TestExported(t *testing.T) {
	for text, want := range map[string]string{
		"customer_id": "CustomerID", "customerId": "CustomerID", "CUSTOMER_ID": "CustomerID", "customer-ids": "CustomerIDs",
		"IDs": "IDs", "photoUrls": "PhotoURLs", "HTTPServer": "HTTPServer", "getHTTPSUrl": "GetHTTPSURL", "sku": "SKU",
		"+1": "Plus1", "-1": "Minus1", "*": "Star", "": "Empty", "  ": "SpaceSpace", "2fa": "X2fa", "sha256Sum": "Sha256Sum",
		"repos/list-for-org": "ReposListForOrg", "actions/get-github-actions-permissions": "ActionsGetGithubActionsPermissions",
		"日本": "X日本", "ünïcode": "Ünïcode", "don't": "Dont", "a.b.c": "ABC", "@type": "Type", "$ref": "Ref", "_links": "Links",
		"X-RateLimit-Limit": "XRateLimitLimit", "io.k8s.api.apps.v1.Deployment": "IoK8sAPIAppsV1Deployment", ">=": "GreaterEqual",
		"application/json": "ApplicationJSON", "oauth2": "OAuth2", "GitHub": "GitHub",
	} {
		if got := exported(text); got != want {
			t.Errorf("%q gives %s, want %s", text, got, want)
		}
	}
}

func TestUnexported(t *testing.T) {
	for name, want := range map[string]string{
		"CustomerID": "customerID", "URLMap": "urlMap", "ID": "id", "IDs": "ids", "GetPet": "getPet", "X2fa": "x2fa", "X日本": "x日本", "Ünïcode": "ünïcode",
	} {
		if got := unexported(name); got != want {
			t.Errorf("%s gives %s, want %s", name, got, want)
		}
	}
}

func TestItemName(t *testing.T) {
	for plural, want := range map[string]string{
		"OrderItems": "OrderItem", "Categories": "Category", "Status": "StatusItem", "Addresses": "Address", "Boxes": "Box", "Data": "DataItem", "Class": "ClassItem",
	} {
		if got := itemName(plural); got != want {
			t.Errorf("%s gives %s, want %s", plural, got, want)
		}
	}
}

// FuzzExported holds that any text gives an exported identifier of bounded length, and
// its unexported form an identifier.
func FuzzExported(f *testing.F) {
	for _, s := range []string{"customer_id", "+1", "日本", "", "\xff\xfe", "a\u0301", "ǅ", "ß", "İ", "𝔘nicode", "٣three", "_", "ª"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name := exported(text)
		if !token.IsIdentifier(name) || !token.IsExported(name) || len(name) > 4*maxName || !utf8.ValidString(name) {
			t.Errorf("%q gives %q", text, name)
		}
		s := packageScope()
		if v := s.name(unexported(name) + "Table"); !token.IsIdentifier(v) || token.IsExported(v) {
			t.Errorf("%q gives the variable %q", name, v)
		}
	})
}

func TestScope(t *testing.T) {
	s := packageScope()
	for _, step := range []struct {
		want     string
		suffixes []string
		got      string
	}{
		{"Pet", []string{"Type", "Enum"}, "Pet"},
		{"Pet", []string{"Type", "Enum"}, "PetType"},
		{"Pet", []string{"Type", "Enum"}, "PetEnum"},
		{"Pet", []string{"Type", "Enum"}, "Pet2"},
		{"Pet", nil, "Pet3"},
		{"string", []string{"Op"}, "stringOp"},
		{"range", []string{"Op"}, "rangeOp"},
		{"codec", nil, "codec2"},
		{"ctx", []string{"", "Op"}, "ctxOp"},
	} {
		if got := s.name(step.want, step.suffixes...); got != step.got {
			t.Errorf("%s %v gives %s, want %s", step.want, step.suffixes, got, step.got)
		}
	}
}

// FuzzScope holds that no name is given twice.
func FuzzScope(f *testing.F) {
	f.Add("Pet", "Pet", "Pet2")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		s, seen := packageScope(), map[string]bool{}
		for _, text := range []string{a, b, c, a, b, c} {
			name := s.name(exported(text), "Type")
			if seen[name] {
				t.Fatalf("%s is given twice", name)
			}
			seen[name] = true
		}
	})
}

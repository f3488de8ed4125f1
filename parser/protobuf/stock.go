package protobuf

import (
	"bytes"
	"fmt"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	psource "github.com/bufbuild/protocompile/experimental/source"
	"github.com/jhump/protoreflect/v2/protoprint"
	httpapi "google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/genproto/googleapis/api/visibility"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/genproto/googleapis/type/calendarperiod"
	"google.golang.org/genproto/googleapis/type/color"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/genproto/googleapis/type/date_range"
	"google.golang.org/genproto/googleapis/type/datetime"
	"google.golang.org/genproto/googleapis/type/dayofweek"
	"google.golang.org/genproto/googleapis/type/decimal"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/genproto/googleapis/type/fraction"
	"google.golang.org/genproto/googleapis/type/interval"
	"google.golang.org/genproto/googleapis/type/latlng"
	"google.golang.org/genproto/googleapis/type/localized_text"
	"google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/genproto/googleapis/type/month"
	"google.golang.org/genproto/googleapis/type/phone_number"
	"google.golang.org/genproto/googleapis/type/postaladdress"
	"google.golang.org/genproto/googleapis/type/quaternion"
	"google.golang.org/genproto/googleapis/type/timeofday"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// stock are the files that contracts import without having them, beside Protobuf's own:
// Google's annotations of APIs, its status and details, and protovalidate's rules. They
// are those that the Go of these modules was made from, so that generated code fits it.
func stock() []protoreflect.FileDescriptor {
	return []protoreflect.FileDescriptor{
		httpapi.File_google_api_annotations_proto,
		httpapi.File_google_api_client_proto,
		httpapi.File_google_api_field_behavior_proto,
		httpapi.File_google_api_field_info_proto,
		httpapi.File_google_api_http_proto,
		httpapi.File_google_api_resource_proto,
		httpapi.File_google_api_routing_proto,
		httpbody.File_google_api_httpbody_proto,
		visibility.File_google_api_visibility_proto,
		code.File_google_rpc_code_proto,
		errdetails.File_google_rpc_error_details_proto,
		status.File_google_rpc_status_proto,
		calendarperiod.File_google_type_calendar_period_proto,
		color.File_google_type_color_proto,
		date.File_google_type_date_proto,
		date_range.File_google_actions_type_date_range_proto,
		datetime.File_google_type_datetime_proto,
		dayofweek.File_google_type_dayofweek_proto,
		decimal.File_google_type_decimal_proto,
		expr.File_google_type_expr_proto,
		fraction.File_google_type_fraction_proto,
		interval.File_google_type_interval_proto,
		latlng.File_google_type_latlng_proto,
		localized_text.File_google_type_localized_text_proto,
		money.File_google_type_money_proto,
		month.File_google_type_month_proto,
		phone_number.File_google_type_phone_number_proto,
		postaladdress.File_google_type_postal_address_proto,
		quaternion.File_google_type_quaternion_proto,
		timeofday.File_google_type_timeofday_proto,
		validate.File_buf_validate_validate_proto,
	}
}

// stocked returns the file that is imported by name, which is read only where no import
// path has one.
func stocked(name string) (*psource.File, error) {
	text, ok, err := stockText(name)
	if !ok || err != nil {
		return nil, err
	}
	return psource.NewFile(stockFolder+name, text), nil
}

// stockFolder marks the paths of files that nobody can open, as the compiler does with
// its own.
const stockFolder = "<built-in>/"

func stockText(name string) (text string, ok bool, err error) {
	fd := stockFile(name)
	if fd == nil {
		return "", false, nil
	}
	var b bytes.Buffer
	if err := (&protoprint.Printer{Compact: true}).PrintProtoFile(fd, &b); err != nil {
		return "", true, fmt.Errorf("the built-in file %s: %w", name, err)
	}
	return b.String(), true, nil
}

func stockFile(name string) protoreflect.FileDescriptor {
	all := stock()
	for i := range all {
		if all[i].Path() == name {
			return all[i]
		}
		// google/api/launch_stage.proto and the like come with those who import them.
		imports := all[i].Imports()
		for j := range imports.Len() {
			if f := imports.Get(j); f.Path() == name && !f.IsPlaceholder() {
				return f.FileDescriptor
			}
		}
	}
	return nil
}

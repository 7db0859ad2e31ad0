package eureka

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"slices"
)

// The names that Netflix's classes bear on the wire, because its clients choose by them.
const (
	classDataCenter = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"
	classAmazon     = "com.netflix.appinfo.AmazonInfo"
	classEmptyMap   = "java.util.Collections$EmptyMap"
)

// Names of data centers that Netflix's clients know; with another in the list they can't read any of it.
const (
	netflix = "Netflix"
	amazon  = "Amazon"
	myOwn   = "MyOwn"
)

// info is an instance as Eureka shows it (com.netflix.appinfo.InstanceInfo). Times are milliseconds since 1970.
type info struct {
	InstanceID       string      `json:"instanceId"         xml:"instanceId"`
	HostName         string      `json:"hostName"           xml:"hostName"`
	App              string      `json:"app"                xml:"app"`
	IPAddr           string      `json:"ipAddr"             xml:"ipAddr"`
	SID              string      `json:"sid,omitempty"      xml:"sid,omitempty"`
	Status           string      `json:"status"             xml:"status"`
	OverriddenStatus string      `json:"overriddenStatus"   xml:"overriddenstatus"`
	Port             port        `json:"port"               xml:"port"`
	SecurePort       port        `json:"securePort"         xml:"securePort"`
	CountryID        int32       `json:"countryId"          xml:"countryId"`
	DataCenter       *dataCenter `json:"dataCenterInfo"     xml:"dataCenterInfo"`
	Lease            lease       `json:"leaseInfo"          xml:"leaseInfo"`
	Metadata         metadata    `json:"metadata"           xml:"metadata"`
	AppGroup         string      `json:"appGroupName,omitempty"         xml:"appGroupName,omitempty"`
	HomePageURL      string      `json:"homePageUrl,omitempty"          xml:"homePageUrl,omitempty"`
	StatusPageURL    string      `json:"statusPageUrl,omitempty"        xml:"statusPageUrl,omitempty"`
	HealthCheckURL   string      `json:"healthCheckUrl,omitempty"       xml:"healthCheckUrl,omitempty"`
	SecureHealthURL  string      `json:"secureHealthCheckUrl,omitempty" xml:"secureHealthCheckUrl,omitempty"`
	VIP              string      `json:"vipAddress,omitempty"           xml:"vipAddress,omitempty"`
	SecureVIP        string      `json:"secureVipAddress,omitempty"     xml:"secureVipAddress,omitempty"`
	Coordinating     bool        `json:"isCoordinatingDiscoveryServer,string" xml:"isCoordinatingDiscoveryServer"`
	LastUpdated      int64       `json:"lastUpdatedTimestamp,string"    xml:"lastUpdatedTimestamp"`
	LastDirty        int64       `json:"lastDirtyTimestamp,string"      xml:"lastDirtyTimestamp"`
	ActionType       string      `json:"actionType,omitempty"           xml:"actionType,omitempty"`
	ASG              string      `json:"asgName,omitempty"              xml:"asgName,omitempty"`
}

// compactInfo is what is left of an instance for a client that asks for the compact form (MiniInstanceInfoMixIn).
type compactInfo struct {
	InstanceID  string      `json:"instanceId"                 xml:"instanceId"`
	HostName    string      `json:"hostName"                   xml:"hostName"`
	App         string      `json:"app"                        xml:"app"`
	IPAddr      string      `json:"ipAddr"                     xml:"ipAddr"`
	Status      string      `json:"status"                     xml:"status"`
	Port        port        `json:"port"                       xml:"port"`
	SecurePort  port        `json:"securePort"                 xml:"securePort"`
	DataCenter  *dataCenter `json:"dataCenterInfo"             xml:"dataCenterInfo"`
	VIP         string      `json:"vipAddress,omitempty"       xml:"vipAddress,omitempty"`
	SecureVIP   string      `json:"secureVipAddress,omitempty" xml:"secureVipAddress,omitempty"`
	LastUpdated int64       `json:"lastUpdatedTimestamp,string" xml:"lastUpdatedTimestamp"`
	ActionType  string      `json:"actionType,omitempty"       xml:"actionType,omitempty"`
	ASG         string      `json:"asgName,omitempty"          xml:"asgName,omitempty"`
}

func (i *info) compact() compactInfo {
	return compactInfo{
		InstanceID: i.InstanceID, HostName: i.HostName, App: i.App, IPAddr: i.IPAddr, Status: i.Status, Port: i.Port,
		SecurePort: i.SecurePort, DataCenter: i.DataCenter, VIP: i.VIP, SecureVIP: i.SecureVIP, LastUpdated: i.LastUpdated,
		ActionType: i.ActionType, ASG: i.ASG,
	}
}

// port is {"$":8080,"@enabled":"true"} in JSON and <port enabled="true">8080</port> in XML.
type port struct {
	Number  uint16 `json:"$"               xml:",chardata"`
	Enabled bool   `json:"@enabled,string" xml:"enabled,attr"`
}

// dataCenter has metadata only if it is Amazon's.
type dataCenter struct {
	Class    string   `json:"@class"             xml:"class,attr"`
	Name     string   `json:"name"               xml:"name"`
	Metadata metadata `json:"metadata,omitempty" xml:"metadata,omitempty"`
}

// lease tells the terms, in seconds, and what came of them.
type lease struct {
	Renewal      int32 `json:"renewalIntervalInSecs" xml:"renewalIntervalInSecs"`
	Duration     int32 `json:"durationInSecs"        xml:"durationInSecs"`
	Registration int64 `json:"registrationTimestamp" xml:"registrationTimestamp"`
	LastRenewal  int64 `json:"lastRenewalTimestamp"  xml:"lastRenewalTimestamp"`
	Eviction     int64 `json:"evictionTimestamp"     xml:"evictionTimestamp"`
	ServiceUp    int64 `json:"serviceUpTimestamp"    xml:"serviceUpTimestamp"`
}

// metadata is an object in JSON and an element for each entry in XML; an empty one says that it is one of Java's.
type metadata map[string]string

// MarshalJSON implements json.Marshaler.
func (m metadata) MarshalJSON() ([]byte, error) {
	if len(m) == 0 {
		return json.Marshal(map[string]string{"@class": classEmptyMap})
	}
	return json.Marshal(map[string]string(m))
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *metadata) UnmarshalJSON(text []byte) error {
	all := map[string]string{}
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	delete(all, "@class")
	*m = all
	return nil
}

// MarshalXML implements xml.Marshaler.
func (m metadata) MarshalXML(encoder *xml.Encoder, start xml.StartElement) error {
	if len(m) == 0 {
		start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: "class"}, Value: classEmptyMap})
	}
	if err := encoder.EncodeToken(start); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := encoder.EncodeElement(m[key], xml.StartElement{Name: xml.Name{Local: encodeName(key)}}); err != nil {
			return err
		}
	}
	return encoder.EncodeToken(start.End())
}

package demo

import "roadbook/record"

// The records that the scripted day is about, by the numbers of their accounts.
// All are lin's.
const (
	customerK    = 0 // edited by lin and by the service desk at once
	opportunityO = 1 // moved by lin while his manager changes its amount
)

// CustomerK is an account of lin that has a phone, an address and the tag 老客户,
// and neither 冷链 nor 重点. Lin's first visit today goes there.
func CustomerK() record.ID { return AccountID(customerK) }

// OpportunityO is an opportunity of lin in the stage qualified.
func OpportunityO() record.ID { return OpportunityID(opportunityO) }

// TodayPlans are lin's six visits of today, in their order.
func TodayPlans() []record.ID {
	ids := make([]record.ID, plansPerDay)
	for i := range ids {
		ids[i] = PlanID("lin", 0, i)
	}
	return ids
}

var siteK = site{
	district: cities["上海"].districts[0],
	street:   "天钥桥路",
	address:  "上海市徐汇区天钥桥路327号底商5铺",
	point:    point{31.188412, 121.440731},
}

func (o *Org) customerK(r *rep) *form {
	f := o.form(20).text("name", "康源生鲜超市（天钥桥路店）").text("short_name", "康源")
	f.text("industry", "retail").text("grade", "A").text("source", "referral").text("stage", "regular")
	f.list("tags", "老客户", "社区店", "现结").list("phones", "13816540982", "02164380126")
	f.text("address", siteK.address).raw("location", []byte(siteK.point.json(12)))
	f.number("points", 860)
	o.lastContact(f, r, customerK)
	f.number("visit_cycle_days", cycleDays["A"])
	f.text("remark", "老客户，老板娘管账，店长管陈列；冷柜两组，乳品动销好，周五下午补货。")
	return f.text("external_ids.erp", "C000001")
}

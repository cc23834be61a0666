package demo

import (
	"slices"
	"time"

	"roadbook/access"
	"roadbook/record"
)

// Unit is a part of the demo company.
type Unit struct {
	Key, Name, Kind string
	Parent          string // key of the unit it belongs to
	Manager         string // login
}

// Person is one of the 40 people of the demo company.
type Person struct {
	Login, Name string
	Roles       []string
	Unit        string // key
	City        string // where he works
}

// units are the tree, parents first.
var units = []Unit{
	{"company", "青禾食品饮料有限公司", "company", "", "gao"},
	{"east", "华东大区", "region", "company", "chen"},
	{"south", "南方大区", "region", "company", "liang"},
	{"shanghai", "上海组", "team", "east", "qian"},
	{"jiangzhe", "江浙组", "team", "east", "shen"},
	{"guangdong", "广深组", "team", "south", "huang"},
	{"inland", "川鄂组", "team", "south", "tang"},
}

var (
	sells   = []string{string(access.Rep)}
	leads   = []string{string(access.Manager)}
	answers = []string{string(access.Service)}
	counts  = []string{string(access.Finance)}
	rules   = []string{string(access.Admin)}
)

// people are all of them. The reps stand in the order in which accounts are
// dealt to them, lin first.
var people = []Person{
	{"admin", "管理员", rules, "company", "上海"},
	{"gao", "高建军", leads, "company", "上海"},
	{"chen", "陈建国", leads, "east", "上海"},
	{"liang", "梁文斌", leads, "south", "广州"},
	{"qian", "钱丽华", leads, "shanghai", "上海"},
	{"shen", "沈国强", leads, "jiangzhe", "杭州"},
	{"huang", "黄志明", leads, "guangdong", "广州"},
	{"tang", "唐秀英", leads, "inland", "成都"},
	{"he", "何静", answers, "company", "上海"},
	{"xie", "谢婷婷", answers, "company", "上海"},
	{"luo", "罗晓燕", answers, "company", "成都"},
	{"fin", "冯财", counts, "company", "上海"},
	{"song", "宋玉梅", counts, "company", "上海"},

	{"lin", "林晓", sells, "shanghai", "上海"},
	{"zhou", "周敏", sells, "shanghai", "上海"},
	{"wang", "王磊", sells, "shanghai", "上海"},
	{"xu", "徐佳怡", sells, "shanghai", "上海"},
	{"zhu", "朱海峰", sells, "shanghai", "上海"},
	{"gu", "顾思远", sells, "shanghai", "上海"},
	{"pan", "潘雨桐", sells, "shanghai", "上海"},
	{"jin", "金鑫", sells, "jiangzhe", "杭州"},
	{"lou", "楼晓东", sells, "jiangzhe", "杭州"},
	{"ying", "应佩君", sells, "jiangzhe", "杭州"},
	{"lu", "陆俊杰", sells, "jiangzhe", "苏州"},
	{"gong", "龚雪", sells, "jiangzhe", "苏州"},
	{"jiang", "蒋伟", sells, "jiangzhe", "南京"},
	{"wu", "吴梦琪", sells, "jiangzhe", "南京"},
	{"ou", "欧阳志强", sells, "guangdong", "广州"},
	{"mai", "麦颖欣", sells, "guangdong", "广州"},
	{"liao", "廖家豪", sells, "guangdong", "广州"},
	{"lai", "赖小红", sells, "guangdong", "广州"},
	{"zeng", "曾子轩", sells, "guangdong", "深圳"},
	{"peng", "彭丹", sells, "guangdong", "深圳"},
	{"dai", "戴勇", sells, "guangdong", "深圳"},
	{"yang", "杨帆", sells, "inland", "成都"},
	{"deng", "邓丽", sells, "inland", "成都"},
	{"qin", "覃军", sells, "inland", "成都"},
	{"xiong", "熊燕", sells, "inland", "武汉"},
	{"hu", "胡志刚", sells, "inland", "武汉"},
	{"yu", "余欣妍", sells, "inland", "武汉"},
}

// People lists the 40 people of the demo.
func People() []Person { return slices.Clone(people) }

// Units lists the tree of units, parents first.
func Units() []Unit { return slices.Clone(units) }

// PersonID is the id of the person with this login, or NoID.
func PersonID(login string) record.ID {
	i := slices.IndexFunc(people, func(p Person) bool { return p.Login == login })
	if i < 0 {
		return record.NoID
	}
	return newID(entered(len(units)+i), "user/"+login)
}

// UnitID is the id of the unit with this key, or NoID.
func UnitID(key string) record.ID {
	i := slices.IndexFunc(units, func(u Unit) bool { return u.Key == key })
	if i < 0 {
		return record.NoID
	}
	return newID(entered(i), "unit/"+key)
}

// entered is when the administrator typed the n-th thing at the founding.
func entered(n int) time.Duration {
	return days(founded) + 9*time.Hour + time.Duration(n)*time.Minute
}

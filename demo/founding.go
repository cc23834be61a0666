package demo

import (
	"fmt"

	"roadbook/record"
)

// founding is what the administrator enters before anybody sells: units,
// people, who manages what, and products.
func (o *Org) founding() []work {
	admin, n := PersonID("admin"), 0
	var all []work
	enter := func(op record.Op, kind string, id record.ID, f *form) {
		if op == record.OpCreate {
			f.made(admin, entered(n))
		}
		all = append(all, o.edit(op, admin, kind, id, entered(n), f))
		n++
	}
	for _, u := range units {
		enter(record.OpCreate, "unit", UnitID(u.Key), o.unitForm(u))
	}
	for i := range people {
		enter(record.OpCreate, "user", PersonID(people[i].Login), o.personForm(i))
	}
	for _, u := range units {
		enter(record.OpEdit, "unit", UnitID(u.Key), o.form(1).id("manager", PersonID(u.Manager)))
	}
	for i := range products {
		enter(record.OpCreate, "product", ProductID(i), o.productForm(i))
	}
	return all
}

func (o *Org) unitForm(u Unit) *form {
	f := o.form(6).text("name", u.Name).id("parent", UnitID(u.Parent))
	return f.text("kind", u.Kind).text("status", "active")
}

func (o *Org) personForm(i int) *form {
	p, locale := people[i], "zh-CN"
	if p.Login == "fin" {
		locale = "en"
	}
	f := o.form(10).text("login", p.Login).text("name", p.Name)
	f.text("mobile", mobile(newDice(o.Seed, "mobile", i))).text("email", p.Login+"@qinghe.example")
	f.list("roles", p.Roles...).id("unit", UnitID(p.Unit))
	return f.text("locale", locale).text("status", "active")
}

// product is one that the demo company sells. Prices live in price lists, which
// the schema does not have yet; opportunities quote this one, in fen.
type product struct {
	name, spec, unit, category string
	fen                        int
}

// ProductID is the id of the i-th product, counted from 0.
func ProductID(i int) record.ID {
	return newID(entered(len(units)+len(people)+len(units)+i), "product", i)
}

// productForm is the content of the i-th product.
func (o *Org) productForm(i int) *form {
	p, status := products[i], "active"
	if i%20 == 19 {
		status = "discontinued"
	}
	f := o.form(8).text("code", fmt.Sprintf("QH%04d", 1001+i)).text("name", p.name)
	f.text("spec", p.spec).text("unit", p.unit).text("category", p.category)
	return f.text("status", status)
}

// rivals are made up, like everything here.
var rivals = words("欢甜 味佳源 乐饮坊 山泉里 谷香园 晨乐 海味家 鲜之选")

var products = []product{
	{"青禾鲜橙汁", "300ml×12瓶", "箱", "果汁", 5_400},
	{"青禾葡萄汁", "300ml×12瓶", "箱", "果汁", 5_400},
	{"青禾苹果醋饮", "350ml×15瓶", "箱", "果汁", 6_000},
	{"青禾NFC橙汁", "900ml×6瓶", "箱", "果汁", 11_400},
	{"青禾杨梅汁", "280ml×15瓶", "箱", "果汁", 5_850},
	{"青禾西柚汁", "300ml×12瓶", "箱", "果汁", 5_640},
	{"青禾茉莉绿茶", "500ml×15瓶", "箱", "茶饮", 4_200},
	{"青禾乌龙茶", "500ml×15瓶", "箱", "茶饮", 4_350},
	{"青禾冷泡龙井", "450ml×15瓶", "箱", "茶饮", 5_250},
	{"青禾柠檬红茶", "500ml×15瓶", "箱", "茶饮", 4_050},
	{"青禾陈皮普洱", "450ml×15瓶", "箱", "茶饮", 5_550},
	{"青禾桂花乌龙", "450ml×15瓶", "箱", "茶饮", 5_400},
	{"青禾山泉水", "550ml×24瓶", "箱", "饮用水", 2_400},
	{"青禾山泉水大桶", "4.5L×4桶", "箱", "饮用水", 3_200},
	{"青禾苏打水", "400ml×24瓶", "箱", "饮用水", 4_560},
	{"青禾气泡水白桃", "330ml×24罐", "箱", "饮用水", 6_480},
	{"青禾气泡水青柠", "330ml×24罐", "箱", "饮用水", 6_480},
	{"青禾婴幼儿水", "1L×12瓶", "箱", "饮用水", 7_200},
	{"青禾纯牛奶", "250ml×24盒", "箱", "乳品", 6_900},
	{"青禾低脂牛奶", "250ml×24盒", "箱", "乳品", 7_050},
	{"青禾鲜牛奶", "950ml×6瓶", "箱", "乳品", 9_900},
	{"青禾风味酸奶", "200g×12盒", "箱", "乳品", 5_760},
	{"青禾希腊酸奶", "135g×12杯", "箱", "乳品", 7_920},
	{"青禾儿童酸奶", "100g×16杯", "箱", "乳品", 6_240},
	{"青禾原味豆奶", "250ml×24盒", "箱", "植物蛋白", 4_800},
	{"青禾黑豆豆奶", "250ml×24盒", "箱", "植物蛋白", 5_160},
	{"青禾杏仁露", "240ml×20罐", "箱", "植物蛋白", 6_400},
	{"青禾核桃乳", "240ml×20罐", "箱", "植物蛋白", 6_800},
	{"青禾燕麦奶", "1L×6盒", "箱", "植物蛋白", 8_940},
	{"青禾椰子汁", "245ml×24罐", "箱", "植物蛋白", 7_680},
	{"青禾特级生抽", "500ml×12瓶", "箱", "调味品", 9_000},
	{"青禾老抽", "500ml×12瓶", "箱", "调味品", 8_640},
	{"青禾香醋", "500ml×12瓶", "箱", "调味品", 7_440},
	{"青禾蚝油", "700g×12瓶", "箱", "调味品", 8_880},
	{"青禾番茄沙司", "300g×20袋", "箱", "调味品", 9_600},
	{"青禾豆瓣酱", "500g×12瓶", "箱", "调味品", 8_280},
	{"青禾压榨花生油", "5L×4桶", "箱", "粮油", 47_600},
	{"青禾菜籽油", "5L×4桶", "箱", "粮油", 35_200},
	{"青禾东北大米", "10kg", "袋", "粮油", 6_980},
	{"青禾丝苗米", "10kg", "袋", "粮油", 7_680},
	{"青禾高筋面粉", "5kg×4袋", "箱", "粮油", 11_200},
	{"青禾五谷杂粮", "1kg×10袋", "箱", "粮油", 15_800},
	{"青禾红烧牛肉面", "110g×12桶", "箱", "方便食品", 4_680},
	{"青禾老坛酸菜面", "115g×12桶", "箱", "方便食品", 4_680},
	{"青禾酸辣粉", "130g×12桶", "箱", "方便食品", 6_360},
	{"青禾自热米饭", "280g×12盒", "箱", "方便食品", 15_600},
	{"青禾八宝粥", "360g×12罐", "箱", "方便食品", 4_320},
	{"青禾螺蛳粉", "300g×20袋", "箱", "方便食品", 15_800},
	{"青禾海盐饼干", "400g×12袋", "箱", "休闲食品", 9_480},
	{"青禾坚果仁", "150g×20袋", "箱", "休闲食品", 25_600},
	{"青禾薯片原味", "75g×22袋", "箱", "休闲食品", 9_900},
	{"青禾果干", "100g×24袋", "箱", "休闲食品", 18_960},
	{"青禾豆干", "90g×40袋", "箱", "休闲食品", 13_200},
	{"青禾威化", "200g×20袋", "箱", "休闲食品", 11_600},
	{"青禾速冻水饺", "1kg×10袋", "箱", "冷冻食品", 17_500},
	{"青禾手工馄饨", "500g×16袋", "箱", "冷冻食品", 18_400},
	{"青禾汤圆", "500g×16袋", "箱", "冷冻食品", 13_760},
	{"青禾手抓饼", "900g×10袋", "箱", "冷冻食品", 12_900},
	{"青禾奶黄包", "360g×20袋", "箱", "冷冻食品", 19_600},
	{"青禾绿豆冰棍", "70g×40支", "箱", "冷冻食品", 5_600},
}

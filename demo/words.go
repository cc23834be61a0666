package demo

import (
	"strconv"
	"strings"
)

// blanks are what is filled into a sentence of the word lists: {w} who, {p} a
// product, {q} another, {r} a rival, {n} and {m} numbers.
type blanks struct {
	who, product, other, rival string
	n, m                       int
}

// blanksFor draws what a rep talks about at an account.
func blanksFor(d *dice, who string) blanks {
	first := d.n(len(products))
	other := (first + d.between(1, len(products)-1)) % len(products)
	return blanks{
		who:     who,
		product: products[first].name,
		other:   products[other].name,
		rival:   pick(d, rivals),
		n:       d.between(2, 48),
		m:       d.between(3, 30),
	}
}

// fill puts the blanks into the sentences, one after another.
func (s blanks) fill(sentences ...string) string {
	var b strings.Builder
	b.Grow(320)
	for _, text := range sentences {
		for {
			i := strings.IndexByte(text, '{')
			if i < 0 {
				break
			}
			b.WriteString(text[:i])
			b.WriteString(s.blank(text[i+1]))
			text = text[i+len("{w}"):]
		}
		b.WriteString(text)
	}
	return b.String()
}

func (s blanks) blank(letter byte) string {
	switch letter {
	case 'w':
		return s.who
	case 'p':
		return s.product
	case 'q':
		return s.other
	case 'r':
		return s.rival
	case 'm':
		return digits(s.m)
	}
	return digits(s.n)
}

func digits(n int) string { return strconv.Itoa(n) }

// What reps write. A visit's summary is an opening, a finding and an ending;
// see blanks for what is filled in.

var visitOpenings = []string{
	"到店与{w}沟通，检查主货架，{p}排面{n}个，价签齐全。",
	"{w}在店，一起清点库存，{p}还剩{n}箱，日期都新鲜。",
	"进店先看陈列，{p}断货，当场补报{n}箱。",
	"与{w}核对上月账款，单据无误，答应本周内付清。",
	"端架被{r}占用，和{w}协商后恢复两层陈列。",
	"店里客流多，等{w}忙完后谈了{p}的促销安排。",
	"按路线例行拜访，门头和冰柜贴都完好，{p}在售。",
	"送样品到店，{w}试过{p}，觉得比上一批好。",
	"整理货架，{p}按先进先出调整，临期{n}件已下架。",
	"{w}刚从总部开会回来，介绍了下季度的选品方向。",
	"门店在做周年庆，{p}进了海报，堆头位置在入口左侧。",
	"{w}说最近房租涨了，进货更看重周转，{p}只留一个规格。",
}

var visitFindings = []string{
	"{r}近期买三赠一，我司动销放缓，日均约{n}件。",
	"周边新开写字楼，{q}需求上升，希望多备{n}箱。",
	"{w}反映{q}毛利偏低，想要本月返利再加一点。",
	"收银台旁有空位，可放{q}小端架，陈列费待谈。",
	"上次送货外箱破损{n}件，已拍照，申请换货。",
	"店里换了收银系统，{q}条码未录入，已协助处理。",
	"{q}试卖一周卖出{n}件，复购的多是附近居民。",
	"竞品{r}给了进场费，{w}还没答应，想听我们的方案。",
	"整体库存够卖十天，只调整陈列顺序。",
	"{w}关心旺季供货，担心{q}像去年那样断货。",
	"冰柜温度偏高，已报修，预计明天上门。",
	"价格带看，{q}比{r}高两毛，顾客能接受。",
}

// ending is how a visit ends, in words and as its result.
type ending struct{ text, result string }

var visitEndings = []ending{
	{"当场下单{m}箱，要求周四前送到。", "ordered"},
	{"已提交补货单，等仓库排车。", "ordered"},
	{"{w}签了订货单，{q}先要{m}箱。", "ordered"},
	{"照上次的量再来一单，另加{q}。", "ordered"},
	{"{w}同意月底试做堆头，照片已传。", "intent"},
	{"约好下次见面谈年度协议。", "intent"},
	{"下周二再访，带{q}样品。", "follow_up"},
	{"待公司确认返利后回复。", "follow_up"},
	{"请主管协助确认账期。", "follow_up"},
	{"本次无订单，保持联系。", "no_need"},
}

// visitsInVain are the summaries of visits at which nobody decided.
var visitsInVain = []string{
	"{w}外出进货，店员不清楚{p}的库存。留下报价单和名片，约{w}回来后电话联系，顺路看了门口堆头，陈列正常。",
	"到店时{w}不在，打电话说在总部开会。和店员一起把{p}排面理了一遍，补了{m}张价签，其余事情改天再谈。",
	"卷帘门半开，店里在盘点，{w}没有时间。拍了门头照片，{q}样品交给收货员，约下周同一时间再来。",
}

var followUpOpenings = map[string][]string{
	"call": {
		"电话联系{w}，", "{w}来电，", "回电给{w}，", "上午打通{w}电话，", "傍晚与{w}通话约{n}分钟，",
	},
	"chat": {
		"微信上{w}说，", "给{w}发了报价图，", "{w}在微信群里问，", "微信回复{w}，", "把新品资料转给{w}，",
	},
	"meeting": {
		"在门店附近碰到{w}，", "{w}到公司参观，", "展会上与{w}见面，", "与{w}喝茶，",
	},
	"mail": {
		"邮件发送合同样本给{w}，", "收到{w}邮件，", "邮件回复{w}的对账问题，",
	},
}

var followUpTopics = []string{
	"确认{p}到货{n}箱，数量无误，有两件外箱轻微变形，不影响销售。",
	"问{p}最近的活动力度，希望和隔壁店一样享受满二十赠一。",
	"谈{q}进店条件，对方关心退换货政策和临期处理方式。",
	"催上月货款，财务已排款，预计下周三到账，单号随后提供。",
	"说明{r}降价后的应对方案，建议先做{p}捆绑，不直接降价。",
	"商量中秋备货，预估{p}需要{n}箱，分两批送，第一批月中到。",
	"反馈顾客投诉{q}口味变化，已记录批次，转质量部核实。",
	"介绍新品{q}，愿意先拿{n}件试卖，两周后看动销再定。",
	"核对促销员排班，周末两天加一人，费用双方各半。",
	"讨论冰柜投放，需要押金和电费补贴，对方表示可以接受。",
	"对方准备开分店，选址在地铁口，希望我们同步供货。",
	"了解到对方采购换人，新负责人下周到岗，需要重新拜访。",
}

var followUpAsides = []string{
	"顺带了解到{r}在附近做推广，每箱送{m}件赠品。",
	"对方说最近生意一般，进货更谨慎，单次不超过{m}箱。",
	"提醒对方{p}月底涨价，可以先按老价格锁{m}箱。",
	"对方问起冰柜什么时候到，已告知预计{m}天内安排。",
	"上次的{m}件破损已经换货，对方表示没有问题。",
	"对方对新来的送货师傅很满意，希望固定这条线路。",
	"门店下月装修，停业{m}天，停业前不再补货。",
	"附近又开了一家同类店，对方担心客流被分走。",
}

var followUpEndings = []string{
	"约定周五前给答复。",
	"对方满意，后续按周跟进。",
	"需要内部申请，等主管批复。",
	"已约下周上门详谈。",
	"暂无结论，月底再联系。",
	"资料已发，等对方确认。",
	"订单已录入系统。",
	"问题已转售后处理。",
}

var nextSteps = []string{
	"带{p}样品上门",
	"确认{q}首批{m}箱的送货时间",
	"提交陈列费申请并回复{w}",
	"给{w}发正式报价",
	"协调仓库补货{m}箱",
	"约{w}和区域经理一起谈年度协议",
	"跟进货款到账",
	"复查冷柜温度与陈列",
}

var dealNames = []string{
	"{p}进店铺货", "{p}旺季备货{n}箱", "年度框架协议", "冰柜投放与{q}专供", "{q}新品首批试销",
	"中秋团购礼盒", "端架陈列合作", "{p}替换{r}", "连锁门店统一供货", "{q}季度促销",
}

var winPlans = []string{
	"先用{p}打开缺口，以陈列费换主货架两层。\n{w}看重周转，准备同商圈三家店的动销数据。",
	"竞品{r}合同下月到期，提前给出账期方案。\n关键是让{w}试卖{q}两周，用数据说话。",
	"请主管出面见{w}，谈年度返利阶梯。\n同步确认仓库能否保证旺季每周{n}箱。",
	"从{q}切入，先做堆头，再谈全品类。\n注意对方财务流程长，合同提前两周走。",
}

// job is what a task may be about.
type job struct {
	title, detail string
	steps         []string
}

var jobs = []job{
	{"回访{w}", "上次提到{p}动销慢，看看货架位置和价签，问清原因。", nil},
	{"补拍{p}陈列照片", "照片要能看清价签和相邻竞品，堆头正面、侧面各一张。", []string{"正面照", "侧面照", "价签特写"}},
	{"催收货款", "账期已过，先和{w}对账，再约付款时间。", []string{"打印对账单", "与客户核对", "确认付款日期"}},
	{"送{q}试吃样品", "样品到仓库领取，给{w}两周试卖期，记录反馈。", nil},
	{"处理换货{n}件", "外箱破损已拍照，联系仓库安排换货，三天内完成。", []string{"申请换货单", "约定送货时间", "回收破损件"}},
	{"签年度协议", "返利按新政策，合同盖章后交财务存档。", []string{"合同审批", "双方盖章", "交财务"}},
	{"核查冰柜", "冰柜内不得放{r}，检查温度、清洁和纯度。", nil},
	{"更新客户资料", "核对电话、收货地址和营业时间，补上{w}的微信。", nil},
}

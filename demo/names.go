package demo

import "strings"

// trade is a sort of customer, with what such places call themselves.
type trade struct {
	industry string
	signs    []string // ends of a name
	company  bool     // a registered company rather than a shop
}

var trades = []trade{
	{"retail", words("生活超市 便利店 生鲜超市 食品店 烟酒商行 百货超市 平价超市 副食店 水果生鲜 社区超市"), false},
	{"retail", words("便民超市 零食铺 粮油店 精品超市 仓储超市 母婴生活馆 乳品店 小卖部"), false},
	{"catering", words("餐厅 面馆 火锅店 小吃店 家常菜馆 酒楼 早餐店 烧烤店 饺子馆 奶茶店"), false},
	{"catering", words("咖啡馆 烘焙坊 快餐店 砂锅粥 麻辣烫 茶餐厅"), false},
	{"wholesale", words("商贸有限公司 食品批发部 供应链管理有限公司 副食品经营部 贸易有限公司"), true},
	{"hotel", words("商务酒店 宾馆 大酒店 精品民宿"), false},
	{"canteen", words("餐饮管理有限公司 团膳服务有限公司 配餐服务有限公司"), true},
	{"online", words("电子商务有限公司 生鲜配送中心"), true},
}

// brands are what owners call their shops, from hopes and from neighbourhoods.
var brands = words(`
	兴隆 福满 家和 永盛 惠民 好邻 金桥 万嘉 百顺 同福 祥和 广源 顺发 德胜 聚福 鑫源 润泽 乐享 佳美 天天
	新时代 老邻居 半亩田 一品鲜 四季鲜 好实在 阖家乐 喜盈门 福到家 幸福里 阳光 晨曦 春晓 秋实 海鲜汇 山水间
	康乐 康源 吉祥 如意 平安 恒通 恒丰 瑞丰 瑞祥 丰收 丰泽 满堂红 满天星 红房子 绿叶 青松 白鹭 金麦 银杏 紫荆
	老王 老李 老张 阿强 阿芳 小陈 陈记 刘记 周记 何记 黄记 徐家 孙家 赵氏 郑氏 胖哥 三妹 大龙 二姐 老街坊
	美家 美邻 优鲜 优品 优选 鲜果园 果缤纷 谷雨 立夏 白露 东方 南北 西园 北岸 江南 江畔 湖畔 河边 桥头 巷口
	七彩 八方 九州 十里 百味 千禧 万和 亿家 连心园 合家欢 家家福 户户旺 人人喜 天时 地利 人和 众兴 大众 国泰 民安`)

var surnames = words(`
	王 李 张 刘 陈 杨 黄 赵 吴 周 王 李 张 刘 陈 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋 唐
	许 韩 邓 冯 曹 彭 曾 肖 田 董 潘 袁 蔡 蒋 余 于 杜 叶 程 魏 苏 吕 丁 任 卢 姚 沈 钟 姜 崔
	谭 陆 范 汪 廖 石 金 韦 贾 夏 付 方 邹 熊 白 孟 秦 邱 侯 江 尹 薛 闫 段 雷 龙 史 陶 贺 毛`)

var givenNames = words(`
	伟 芳 娜 敏 静 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 丽 鹏 辉 玲 红 波 斌 宇 浩 凯 健 俊 帆 雪 婷 慧 莹
	建华 建军 志强 志明 秀英 秀兰 桂英 玉兰 国强 国栋 文静 文博 晓明 晓燕 海燕 海涛 丽华 丽娟 春梅 春生 永强 永刚
	佳怡 佳琪 子涵 子轩 梓萱 欣怡 雨桐 雨欣 浩然 宇航 思远 思琪 一鸣 俊杰 嘉豪 嘉欣 梦瑶 梦洁 诗涵 婉婷 晨曦 天佑
	卫东 卫国 爱华 爱民 金凤 金龙 银花 凤英 德福 德明 福生 根生 水生 阿妹 大伟 小军 小红 小燕 美玲 美华 兰香 巧云`)

// post is what somebody does at a customer's.
type post struct{ title, role, called string }

// posts begin with those who decide.
var posts = []post{
	{"老板", "owner", "老板"},
	{"店长", "manager", "店长"},
	{"总经理", "owner", "总"},
	{"采购经理", "buyer", "经理"},
	{"采购主管", "buyer", "主管"},
	{"门店主管", "manager", "主管"},
	{"财务", "finance", "会计"},
	{"仓库主管", "warehouse", "主管"},
	{"收货员", "warehouse", "师傅"},
	{"厨师长", "other", "厨师长"},
}

// deciders is how many of the posts decide.
const deciders = 5

var mobilePrefixes = words(`
	130 131 132 133 135 136 137 138 139 150 151 152 153 155 156 157 158 159
	166 173 175 176 177 178 180 181 182 183 185 186 187 188 189 191 198 199`)

var areaCodes = map[string]string{
	"上海": "021", "杭州": "0571", "苏州": "0512", "南京": "025",
	"广州": "020", "深圳": "0755", "成都": "028", "武汉": "027",
}

var accountTags = words("冷链 连锁 夜市商圈 学校周边 社区店 地铁口 重点 可铺新品 账期客户 月结 现结 陈列达标 堆头 冰柜投放 待签约 老客户")

var preferences = words("微信联系 上午拜访 下午拜访 喜欢喝茶 关注价格 关注账期 重视陈列 不接陌生电话 爱试新品 周末在店")

var accountRemarks = []string{
	"店面约{n}平，主做周边小区，早晚高峰人多，收货只在上午十点前。",
	"老板管价格，{w}管陈列，谈堆头要两个人都在场。",
	"冰柜是我司投放，需每月检查纯度，竞品不得占用。",
	"账期30天，月底对账，开票信息以系统为准。",
	"离仓库近，缺货可当天补送，单次不少于{n}箱。",
	"隔壁新开一家社区团购点，{p}价格敏感，注意维护。",
	"节假日前两周备货，订单一般翻倍，需提前锁库存。",
	"门口不好停车，送货走后门，保安电话见联系人。",
}

func words(s string) []string { return strings.Fields(s) }

func mobile(d *dice) string {
	b := []byte(pick(d, mobilePrefixes))
	for range 8 {
		b = append(b, byte('0'+d.n(10)))
	}
	return string(b)
}

func landline(d *dice, city string) string {
	number := 20_000_000 + d.n(69_999_999)
	return areaCodes[city] + digits(number)
}

// creditCode is the shape of a company's unified social credit code.
func creditCode(d *dice) string {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	b := []byte("91310")
	for range 3 {
		b = append(b, byte('0'+d.n(10)))
	}
	for range 10 {
		b = append(b, alphabet[d.n(len(alphabet))])
	}
	return string(b)
}

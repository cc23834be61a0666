package words

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"roadbook/errs"
	"roadbook/record"
)

// Explain puts a failure into a language: the sentence for the person, and
// what is wrong with each field. English is what the engine speaks. In Chinese
// the sentence is that of the code, and then what is wrong with the first
// field; what nobody has put into Chinese is told by the code alone. The
// fields that were given are left as they are.
func Explain(kind errs.Kind, code, own string, fields []errs.Field, lang Language) (string, []errs.Field) {
	if lang != Chinese || len(fields) == 0 {
		return cmp.Or(sentence(code, own, lang), messages[string(kind)].in(lang)), fields
	}
	general := cmp.Or(messages[code].zh, messages[string(kind)].zh)
	detail, told := general, slices.Clone(fields)
	for i := range told {
		specific, ok := inChinese(told[i].Detail)
		if ok && i == 0 {
			detail += told[i].Field + "：" + specific
		}
		told[i].Detail = cmp.Or(specific, general)
	}
	return detail, told
}

// Refusal is a refusal in a language; the one that is given stays as it is.
func Refusal(r *record.Refusal, lang Language) *record.Refusal {
	told := *r
	told.Detail, told.Fields = Explain(r.Kind, r.Code, r.Detail, r.Fields, lang)
	return &told
}

// Where in a value something is wrong: in a row of a list, in a part of an
// object such as "location lat".
var (
	inRow  = regexp.MustCompile(`(?s)^row (\d+) (must .+)$`)
	inLine = regexp.MustCompile(`(?s)^line (\d+), column (\d+): (.+)$`)
	inPart = regexp.MustCompile(`(?s)^((?:[a-z_]+ )+?)(must .+)$`)
)

// inChinese puts what is wrong with a field into a Chinese sentence.
func inChinese(detail string) (string, bool) {
	if zh, ok := worded(detail); ok {
		return zh + "。", true
	}
	if m := inRow.FindStringSubmatch(detail); m != nil {
		zh, ok := inChinese(m[2])
		return prefixed("第 "+m[1]+" 行：", zh), ok
	}
	if m := inLine.FindStringSubmatch(detail); m != nil {
		zh, ok := inChinese(m[3])
		return prefixed("第 "+m[1]+" 行第 "+m[2]+" 列：", zh), ok
	}
	if m := inPart.FindStringSubmatch(detail); m != nil {
		zh, ok := inChinese(m[2])
		return prefixed(strings.Join(strings.Fields(m[1]), " 的 ")+" ", zh), ok
	}
	return "", false
}

// prefixed says where; of nothing it makes nothing.
func prefixed(where, zh string) string {
	if zh == "" {
		return ""
	}
	return where + zh
}

// worded finds the first wording that fits.
func worded(detail string) (string, bool) {
	for _, w := range wordings() {
		found := w.en.FindStringSubmatch(detail)
		if found == nil {
			continue
		}
		var pairs []string
		for i, text := range found[1:] {
			pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", text)
		}
		return strings.NewReplacer(pairs...).Replace(w.zh), true
	}
	return "", false
}

// wording is a fragment that is ready for use.
type wording struct {
	en *regexp.Regexp
	zh string
}

// wordings are made when the first is needed: half of them never are.
var wordings = sync.OnceValue(func() []wording { return compiled(slices.Concat(shaped(shapes), fragments)) })

// compiled makes wordings of fragments.
func compiled(all []said) []wording {
	out := make([]wording, len(all))
	for i, f := range all {
		text := strings.ReplaceAll(regexp.QuoteMeta(f.en), "%", "(.*)")
		out[i] = wording{regexp.MustCompile("(?s)^" + text + "$"), f.zh}
	}
	return out
}

// shaped are the fragments about objects with known members.
func shaped(shapes []said) []said {
	var out []said
	for _, s := range shapes {
		out = append(out,
			said{"must be " + s.en, "必须是" + s.zh},
			said{"must be " + s.en + ": % is missing", "必须是" + s.zh + "，缺少 {1}"},
			said{"must be " + s.en + ": it has no %", "必须是" + s.zh + "，不能有 {1}"},
		)
	}
	return out
}

// shapes are the objects with known members of record/field.
var shapes = []said{
	{`an amount with its currency, such as {"amount":"12.50","currency":"CNY"}`, `带币种的金额，例如 {"amount":"12.50","currency":"CNY"}`},
	{"a place with lat, lng and crs", "包含 lat、lng 和 crs 的位置"},
	{"the evidence of a check-in, with its time_device", "包含 time_device 的签到凭据"},
}

// fragments are what can be wrong with a field, as the packages below say it:
// % stands for any text, which the Chinese calls {1}, {2}. The first that fits
// counts. TestDetails_allAreInChinese reads the sources and finds what is
// missing here.
var fragments = []said{
	// modules/reminders: what a rule says.
	{"it says no trigger", "没有触发条件"},
	{"there is no such trigger", "没有这种触发条件"},
	{"there are no records of this kind to look at", "没有可以检查的此类记录"},
	{"this kind has no day or time of this name", "此类记录没有这个日期或时间字段"},
	{"it is a whole number of days, % at the most", "必须是整数天，最多 {1} 天"},
	{"it is a whole number of minutes, % at the most", "必须是整数分钟，最多 {1} 分钟"},
	{"it is an hour from 0 to 23", "必须是 0 到 23 之间的钟点"},
	{"it says after how many days", "没有写明多少天之后"},
	{"nobody can be warned before the reason is there", "不能在原因出现之前提醒"},
	{"it needs a time zone, such as Asia/Shanghai", "需要时区，例如 Asia/Shanghai"},
	{"it says neither task nor reminder", "没有写明生成任务还是提醒"},
	{"a task is no task of a task: it makes reminders", "任务到期只能生成提醒"},
	{"it says what is to be done, in % characters at the most", "必须写明要做什么，最多 {1} 个字符"},

	// record/reminder: when somebody is reminded.
	{"it has no time", "没有提醒时间"},
	{"this is no time zone; one is written as Asia/Shanghai", "没有这个时区，请写成 Asia/Shanghai 这样"},
	{"what comes again needs a time zone, because clocks are set", "重复提醒需要时区，因为各地会调整时钟"},
	{"it has more than % characters", "不能超过 {1} 个字符"},
	{"it begins before the year %", "不能早于 {1} 年"},
	{"it cannot be read as a rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO", "不是 RFC 5545 的重复规则，例如 FREQ=WEEKLY;BYDAY=MO"},
	{"it needs FREQ, and not both COUNT and UNTIL", "必须有 FREQ，且 COUNT 与 UNTIL 只能有一个"},
	{"it comes more often than daily: name the hours with BYHOUR", "不能比每天更频繁，请用 BYHOUR 指定钟点"},
	{"INTERVAL is from 1 to %", "INTERVAL 必须在 1 到 {1} 之间"},
	{"COUNT is from 1 to %", "COUNT 必须在 1 到 {1} 之间"},
	{"it comes more than % times a day", "每天不能超过 {1} 次"},
	{"a number in it is none that a day, a month or a year has", "其中有数字超出日、月或年的范围"},
	{"it never happens", "这个时间永远不会到来"},
	{"% stands there twice", "{1} 出现了两次"},
	{"% is not known here", "不支持 {1}"},

	// record/field: what a value must be.
	{"must be one of the choices offered", "必须是可选项之一"},
	{"must be one of: %", "必须是以下之一：{1}"},
	{"must be one of %", "必须是以下之一：{1}"},
	{"must be true or false", "必须是“是”或“否”（true 或 false）"},
	{"must be a date of the calendar, such as 2026-11-21", "必须是有效的日期，例如 2026-11-21"},
	{"must be a date of the years % to %", "年份必须在 {1} 到 {2} 之间"},
	{"must be a date and time with its offset, such as %", "必须是带时区的日期和时间，例如 {1}"},
	{"must be a decimal number, such as %", "必须是数字，例如 {1}"},
	{"must have at most % digits before the point", "小数点前最多 {1} 位"},
	{"must have at most % digits after the point", "小数点后最多 {1} 位"},
	{"must be one e-mail address of at most % characters, such as %", "必须是一个电子邮箱地址，最多 {1} 个字符，例如 {2}"},
	{"must be a time zone as %", "必须是时区，例如 {1}"},
	{"must be a time of day as %", "必须是一天中的时间，例如 {1}"},
	{"must be another time than %", "不能与 {1} 相同"},
	{"must be valid JSON", "必须是有效的 JSON"},
	{"must be nested at most % levels deep", "嵌套层级最多 {1} 层"},
	{"must name each of its members once", "同一个成员不能出现两次"},
	{"must be a value; leave it out to clear it", "必须有内容；要清空请去掉这一项"},
	{"must be at most % KiB long", "最多 {1} KiB"},
	{"must be at most % KiB long; attach a longer text as a file", "最多 {1} KiB，更长的文字请作为附件上传"},
	{"must be a list of plain values, without lists or objects in it", "必须是由简单值组成的列表，其中不能再有列表或对象"},
	{"must be three capital letters, such as %", "必须是三个大写字母，例如 {1}"},
	{"must be a number, such as % or %", "必须是数字，例如 {1} 或 {2}"},
	{"must be a number between % and %", "必须是 {1} 到 {2} 之间的数字"},
	{"must be one telephone number of % to % digits, such as % or % ext %", "必须是一个电话号码，{1} 到 {2} 位数字，例如 {3} 或 {4} 转 {5}"},
	{"must be wgs84, gcj02 or bd09", "必须是 wgs84、gcj02 或 bd09"},
	{"must be from % to %", "必须在 {1} 到 {2} 之间"},
	{"must be the id of one %, a UUID of 36 characters", "必须是一条 {1} 记录的编号（36 个字符的 UUID）"},
	{"must be a list of rows, each an object with an id", "必须是由行组成的列表，每行都有 id"},
	{"must have from 1 to % bytes", "长度须为 1 到 {1} 字节"},
	{"must have at most % rows", "最多 {1} 行"},
	{"must be at most % KiB in all; use fewer or shorter rows", "总共最多 {1} KiB，请减少行数或缩短内容"},
	{"must have at most % members", "最多 {1} 项"},
	{"must have an id, a UUID of 36 characters", "必须有 id（36 个字符的 UUID）"},
	{"must have an id that no other row has", "id 不能与其他行重复"},
	{"must hold text, numbers, yes or no, or objects, but no lists", "只能包含文字、数字、是否或对象，不能包含列表"},
	{"must be text", "必须是文字"},
	{"must be text in valid UTF-8", "文字无法识别（不是有效的 UTF-8）"},
	{"must be text without half characters (a lone surrogate)", "不能含有不完整的字符（可能是表情符号）"},
	{"must be text without the NUL character", "不能含有不可见的空字符（NUL）"},
	{"must be a tag with at least one character", "标签至少要有一个字符"},
	{"must be at most % characters on one line", "最多 {1} 个字符，且不能换行"},
	{"must be a web address, such as %", "必须是网址，例如 {1}"},
	{"must be a web address of at most % bytes", "网址最多 {1} 个字节"},
	{"must be a web address without a user name or password in it", "网址中不能带有用户名或密码"},
	{"field: values of type % have no order", "{1} 类型的内容无法比较大小"},
	{"field: amounts of different currencies have no order", "币种不同的金额无法比较大小"},
	{"field: an amount without its currency has no order", "没有币种的金额无法比较大小"},

	// record: what cannot be taken apart.
	{"a JSON object was expected", "必须是对象"},
	{"a JSON list was expected", "必须是列表"},
	{"a name stands twice in one object", "同一个名称出现了两次"},
	{"there are more values than may be", "数量超过上限"},
	{"the text is cut short", "内容不完整"},
	{"a comma was expected", "格式有误：缺少逗号"},
	{"a value was expected after the comma", "格式有误：逗号后缺少内容"},
	{"no field type %", "服务器没有 {1} 这种字段类型"},

	// modules/approvals: what an approval needs.
	{"a flow for records of this kind was expected", "请选择适用于此类记录的流程"},
	{"a kind of records that belong to somebody was expected", "请选择有负责人的记录类型"},
	{"it has been published", "该版本已发布"},
	{"there is no such kind", "没有这种记录类型"},
	{"it is longer than % KiB", "超过 {1} KiB"},
	{"line %, column %: it ends too early", "第 {1} 行第 {2} 列：内容不完整"},
	{"the condition cannot be used, at line %, column %: %", "条件无法使用，第 {1} 行第 {2} 列：{3}"},
	{"submit or change was expected", "必须是 submit 或 change"},
	{"name the fields that a decision is about", "请列出审批所依据的字段"},
	{"% has no field % that names somebody", "{1} 没有指定人员的字段 {2}"},
	{"% has no field %", "{1} 没有字段 {2}"},
	{"% is not for everybody to see, and approvers would", "{1} 并非人人可见，审批人会看到它"},
	{"reopen or note was expected", "必须是 reopen 或 note"},
	{"from 1 to % nodes were expected", "节点数须为 1 到 {1}"},
	{"from 1 to % levels were expected", "层级须为 1 到 {1}"},
	{"% is what the decision is about", "{1} 是审批所依据的字段"},
	{"a name that no other node has was expected", "节点名称不能为空或重复"},
	{"any, all or order was expected", "必须是 any、all 或 order"},
	{"by then the node has passed by itself", "届时该节点已自动通过"},
	{"there is no role %", "没有角色 {1}"},
	{"one of manager, role, people and field was expected", "须在 manager、role、people、field 中选择一项"},
	{"at most % people were expected", "最多 {1} 人"},
	{"it is locked until the approval is decided", "审批完成前已锁定"},
	{"this person is asked already", "此人已在审批人之中"},
	{"too many are asked already", "审批人已达上限"},

	// conflicts: what a policy allows.
	{"% has no such field", "{1} 没有这个字段"},
	{"only the server writes this field", "只能由系统自动填写"},
	{"elements are added and removed one by one", "只能逐项添加或移除"},
	{"a counter is changed by amounts", "计数只能增减，不能直接设定"},
	{"this field holds one value, which is set", "该字段只有一个值，只能整体修改"},
	{"a list of elements was expected", "必须是列表"},
	{"it was at %, and from there it cannot go to %", "原状态为 {1}，不能变为 {2}"},
	{"it cannot begin as %", "不能以 {1} 为初始状态"},
	{"it is always at some step, and cannot be emptied", "状态不能清空"},
	{"% people have changed this at the same time; one of them has to be decided for first", "已有 {1} 人同时修改，请先选定一个"},
	{"at most % elements", "最多 {1} 项"},
	{"only a counter is changed by amounts", "只有计数可以增减"},
	{"what stood here before could not be read", "原来的内容无法读取"},
	{"compare %: %", "无法与原来的内容比较大小"},
	{"the counter holds %: %", "计数原来的内容有误，无法增减"},
	{"the count would leave what can be counted exactly (±%)", "计数超出范围（±{1}）"},
	{"an amount is a whole number between ±%", "增减量必须是整数，范围 ±{1}"},

	// sync: what must hold of a record.
	{"this must be filled in", "必须填写"},
	{"numbers that were given out do not come back", "已发出的号码不能收回"},
	{"this would fall below %", "结果不能低于 {1}"},
	{"nobody of that name is here", "本企业没有这个人员"},
	{"somebody who may see the record was expected", "只能转交给有权查看该记录的人"},
	{"it is not there", "所选的记录不可用"},
	{"it is of another kind", "所选记录的类型不符"},
	{"it would belong to itself", "不能归属于自己"},
	{"it is not for you to see", "您没有查看该字段的权限"},
	{"the server writes it", "由系统填写"},

	// sync/wire: what a pull asks for.
	{"every pull names the replica it is for", "缺少设备标识"},
	{"a replica is a short text", "必须是简短的文字"},
	{"a cursor is the text of the last answer, or empty", "必须是上次应答中的内容，或留空"},
	{"a whole number up to % is expected", "必须是不超过 {1} 的整数"},
	{"true or false is expected", "必须是 true 或 false"},
	{"at most % records can be pinned", "最多置顶 {1} 条记录"},
	{"a pin is the id of a record", "必须是记录的编号"},
	{"at most % kinds can be named", "最多指定 {1} 种记录"},
	{"a kind is a short text", "必须是简短的文字"},
	{"a month such as % is expected", "必须是月份，例如 {1}"},

	// rules, query: what is wrong with a filter.
	{"it is longer than a filter may be", "筛选条件太长"},
	{"it is not text in UTF-8", "筛选条件不是有效的 UTF-8 文字"},
	{"it cannot be read as an expression", "此处的写法无法识别"},
	{"it is nested too deeply", "括号嵌套太深"},
	{"it has too many comparisons", "条件太多"},
	{"the list has too many values", "列表中的值太多"},
	{"a condition was expected here", "此处应为条件"},
	{"a field was expected here", "此处应为字段"},
	{"a value was expected here", "此处应为值"},
	{"a list of values was expected here", "此处应为值的列表"},
	{"filters do not know this function or operator", "筛选条件不支持这个函数或运算符"},
	{"filters do not know values of this sort", "筛选条件不支持这种值"},
	{"this number is too large", "数字太大"},
	{"a time is written as text, like %", "时间要写成文字，例如 {1}"},
	{"there is no field of this name to filter by", "没有可用于筛选的这个字段"},
	{"this is no value of this field", "不是该字段的有效值"},
	{"this field is compared with a number", "该字段要与数字比较"},
	{"this field is compared with true or false", "该字段要与 true 或 false 比较"},
	{"this field is compared with a time, like %", "该字段要与时间比较，例如 {1}"},
	{"this field is compared with text", "该字段要与文字比较"},
	{"a text to compare with is longer than can be looked up", "用于比较的文字太长"},
	{"this field holds several values: ask whether one is in it, like %", "该字段有多个值，请判断是否包含，例如 {1}"},
	{"this field holds one value: compare it, like %", "该字段只有一个值，请直接比较，例如 {1}"},
	{"nothing is before or after nothing", "空值不能比较先后"},
	{"the values of this field have no order", "该字段的值没有大小之分"},
	{"the values of this field have no beginning", "该字段不能按开头匹配"},
	{"it is no field that lists are sorted by", "不是可用于排序的字段"},
	{"this is more than a page holds", "超过每页上限"},

	// api: what a small body must be.
	{"must be an object", "必须是对象"},
	{"must be a list", "必须是列表"},
	{"must be a number", "必须是数字"},

	// modules/people: people, devices and units.
	{"is missing", "没有填写"},
	{"has more than % characters", "不能超过 {1} 个字符"},
	{"has characters that cannot be typed", "含有无法输入的字符"},
	{"needs at least % characters", "至少需要 {1} 个字符"},
	{"is too long", "太长"},
	{"is missing or too long", "没有填写，或太长"},
	{"is too long, or not plain text", "太长，或含有特殊字符"},
	{"must be a UUID", "必须是 UUID"},
	{"this unit lies below the one it would be put into", "不能把部门放到自己的下级部门之下"},
	{"somebody else has this login", "该登录名已被其他人使用"},

	// api: what a parameter of an address must be.
	{"must be a whole number", "必须是整数"},
	{"must be at most %", "不能大于 {1}"},
	{"must be at least %", "不能小于 {1}"},
	{"does not fit here", "不符合要求"},
}

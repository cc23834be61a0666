package api

import (
	"cmp"

	"roadbook/errs"
)

// said is one thing in both languages.
type said struct{ en, zh string }

// in returns the text in one of them.
func (s said) in(lang language) string {
	if lang == chinese {
		return s.zh
	}
	return s.en
}

// titleOf names the kind of problem; detail says more.
func titleOf(kind errs.Kind, lang language) string { return titles[kind].in(lang) }

// sentence is the text of a code in a language; own is what the error says
// itself, in English. That knows more than the text of the code, so it comes
// first in English; in Chinese the code's comes first, and better English than
// nothing.
func sentence(code, own string, lang language) string {
	if lang == chinese {
		return cmp.Or(messages[code].zh, own)
	}
	return cmp.Or(own, messages[code].en)
}

// coded is an error that says what its code says.
func coded(op string, kind errs.Kind, code string) *errs.Error {
	return errs.New(op, kind, "%s", messages[code].en).Coded(code)
}

var titles = map[errs.Kind]said{
	errs.Internal:  {"Something went wrong on our side", "服务器出错了"},
	errs.Invalid:   {"This cannot be accepted as it stands", "提交的内容有误"},
	errs.Anonymous: {"Please sign in", "请先登录"},
	errs.Denied:    {"You may not do this", "没有权限"},
	errs.Missing:   {"Not found", "找不到"},
	errs.Clash:     {"Something has changed in the meantime", "内容已有变化"},
	errs.Stale:     {"This device has to start its sync over", "需要重新同步"},
	errs.Limited:   {"Too much at once", "操作太频繁"},
	errs.Busy:      {"Please try again in a moment", "请稍后再试"},
}

// messages say what a code means to a salesperson: what happened, and what to
// do. A new code needs a line here, and TestMessages finds those that lack
// one. The nine kinds stand for errors without a code.
//
// Who hears of a refusal has his typed text still in front of him, so "enter
// it again" is never said lightly.
var messages = map[string]said{
	"from": {
		"The period must begin with a month like 2026-08. Please update the app.",
		"时间范围必须以“2026-08”这样的月份开头，请更新应用。",
	},
	"internal": {
		"Something went wrong on our side. Your data is safe; please try again later, and give the help desk the number of this request.",
		"服务器出了点问题，您的数据没有丢失。请稍后再试；如需帮助，请把请求编号告诉客服。",
	},
	"invalid": {
		"Something in this is not right, so it was not saved. Please correct it.",
		"填写的内容有误，未能保存，请修改后重试。",
	},
	"anonymous": {
		"Please sign in again. What you have entered stays on this device.",
		"请重新登录。您已填写的内容会保留在本机。",
	},
	"denied": {
		"You do not have the right to do this. If you need it, please ask your manager.",
		"您没有这项操作的权限，如有需要请联系主管。",
	},
	"missing": {
		"This is not there, or is not shared with you.",
		"找不到这条记录，或者它没有共享给您。",
	},
	"clash": {
		"This has changed in the meantime. Please sync, look at it again and decide.",
		"这条内容已被更新，请先同步，查看后再决定。",
	},
	"stale": {
		"This device has been away for too long or needs fresh data. It will sync again; nothing that you entered is lost.",
		"本机的数据需要重新同步，您填写的内容不会丢失。",
	},
	"limited": {
		"That was too much in too short a time. Please wait a moment.",
		"操作太频繁，请稍等片刻再试。",
	},
	"busy": {
		"The server is busy. Nothing is lost; please try again in a moment.",
		"服务器正忙，数据没有丢失，请稍后再试。",
	},

	// The request.
	"route": {
		"There is nothing at this address. Please update the app.",
		"请求的地址不存在，请更新应用。",
	},
	"method": {
		"This cannot be done at this address. Please update the app.",
		"该地址不支持这种操作，请更新应用。",
	},
	"encoding": {
		"The request is compressed in a way that the server does not know. It takes gzip and zstd.",
		"服务器不支持这种压缩方式，仅支持 gzip 和 zstd。",
	},
	"slow": {
		"Sending took too long. Please try again where the network is better; the app may send less at once.",
		"网络太慢，数据未能及时送达。请在信号较好的地方重试。",
	},
	"cut": {
		"The connection broke. Please try again.",
		"连接中断了，请重试。",
	},
	"timeout": {
		"The server took too long to answer. Please try again in a moment.",
		"服务器响应超时，请稍后再试。",
	},
	"stopping": {
		"The server is about to restart. Please try again in a moment.",
		"服务器即将重启，请稍后再试。",
	},
	"starting": {
		"The server is starting, or waits for its database. Please try again in a moment.",
		"服务器正在启动，请稍后再试。",
	},
	"restart": {
		"The database is being restarted. Please try again in a moment.",
		"数据库正在重启，请稍后再试。",
	},

	// What was sent.
	"envelope": {
		"The app and the server do not understand each other. Nothing was saved; please update the app.",
		"应用与服务器无法互相识别，内容未保存，请更新应用。",
	},
	"malformed": {
		"This arrived garbled and was not saved. Please try again, or update the app.",
		"数据格式有误，未能保存。请重试或更新应用。",
	},
	"utf8": {
		"The text cannot be read. Please enter it again.",
		"文字无法识别，请重新输入。",
	},
	"surrogate": {
		"The text contains half a character, perhaps of an emoji. Please delete it and save again.",
		"文字中含有不完整的字符（可能是表情符号），请删除后重新保存。",
	},
	"nul": {
		"The text contains an invisible character that cannot be stored. Please enter it again.",
		"文字中含有无法保存的不可见字符，请重新输入。",
	},
	"deep": {
		"This is nested too deeply and was not saved. Please update the app.",
		"数据层级太深，未能保存，请更新应用。",
	},
	"size": {
		"This is too large. Please make it smaller, or save it in parts.",
		"内容太大，请精简或分几次保存。",
	},
	"duplicate": {
		"The same field stands twice in this, so it is not clear what was meant. Please enter it again.",
		"同一个字段出现了两次，无法判断以哪个为准，请重新填写。",
	},
	"edits": {
		"This touches more than 50 records at once. Please save fewer at a time.",
		"一次最多修改 50 条记录，请分几次保存。",
	},
	"many": {
		"The app sent more than 500 changes at once. Please update the app.",
		"一次最多提交 500 项修改，请更新应用。",
	},
	"n": {
		"The app counted its changes wrongly. Please update the app.",
		"修改的编号有误，请更新应用。",
	},
	"order": {
		"The app sent its changes out of order. Please update the app.",
		"修改的顺序有误，请更新应用。",
	},
	"empty": {
		"There is nothing in this to save.",
		"没有需要保存的内容。",
	},
	"op": {
		"The app asked for something that the server cannot do yet. This was not saved.",
		"服务器暂不支持这种操作，未能保存。",
	},
	"id": {
		"It is not clear which record this is for. Please update the app and enter it again.",
		"无法确定要修改哪条记录，请更新应用后重新填写。",
	},
	"member": {
		"The app sent something that the server does not understand. Please update the app.",
		"服务器无法识别部分内容，请更新应用。",
	},
	"stamp": {
		"The clock of this device was wrong when this was entered. Please set it and enter this again.",
		"填写时本机的时间不正确，请校准时间后重新填写。",
	},
	"after": {
		"This comes after changes that have not arrived, or after too many. Please wait for a sync and enter it again.",
		"这项修改所依赖的其他修改尚未送达或数量过多，请等同步完成后重新填写。",
	},
	"seen": {
		"The app claims to have seen what the server does not have. Please sync and enter this again.",
		"本机的数据与服务器不一致，请先同步再重新填写。",
	},
	"replica": {
		"This was sent under another device's name. Please sign in again on this device.",
		"设备标识不符，请在本机重新登录。",
	},

	// The values.
	"required": {
		"A field that must be filled in is empty.",
		"有必填项没有填写。",
	},
	"type": {
		"A field holds something that does not fit there.",
		"有字段的内容格式不正确。",
	},
	"choice": {
		"This is not one of the choices.",
		"所选内容不在可选范围内。",
	},
	"unknown_kind": {
		"The server does not know this kind of record. Please sync or update the app.",
		"服务器没有这种类型的记录，请同步或更新应用。",
	},
	"unknown_field": {
		"The server does not know one of the fields. Please sync or update the app.",
		"服务器没有其中的某个字段，请同步或更新应用。",
	},
	"server_field": {
		"One of the fields is filled in by the server alone.",
		"其中有字段只能由系统自动填写。",
	},
	"counter_set": {
		"A counter can be raised or lowered, not set.",
		"计数只能增减，不能直接设定。",
	},
	"set_set": {
		"Entries of a list can be added and taken out; the list cannot be replaced as a whole.",
		"列表只能逐项添加或移除，不能整体替换。",
	},
	"not_set": {
		"This field holds one value, which can only be replaced.",
		"该字段只有一个值，只能整体修改。",
	},
	"not_counter": {
		"This field is no counter, so it cannot be raised or lowered.",
		"该字段不是计数，不能增减。",
	},
	"history": {
		"What stood here before cannot be read any more. Please enter the whole text again.",
		"该字段原来的内容已无法读取，请重新填写完整内容。",
	},
	"owner": {
		"The owner must be somebody of your organisation.",
		"负责人必须是本企业的人员。",
	},
	"floor": {
		"There is not enough left for this.",
		"剩余数量不足。",
	},
	"once": {
		"This can be entered once only, and somebody has done so already.",
		"这一项只能填写一次，已经有人填写了。",
	},
	"record_size": {
		"The record would become too large. Please shorten a text, or use an attachment.",
		"这条记录的内容太大，请精简文字或改用附件。",
	},
	"parent": {
		"The record that this belongs to is not there, was deleted, or does not fit.",
		"所属的上级记录不存在、已被删除或不符合要求。",
	},
	"kind_mismatch": {
		"The record is of another kind than this needs. Please check what was chosen.",
		"记录的类型不符，请检查所选的记录。",
	},
	"cycle": {
		"Nothing can belong to itself, nor to what is below it.",
		"记录不能隶属于自己或自己的下级。",
	},

	// The state of things.
	"deleted": {
		"This has been deleted. It can be restored by somebody with the right to.",
		"这条记录已被删除，有权限的人可以将其恢复。",
	},
	"children": {
		"Other records belong to this one, so it cannot be deleted. Please delete or move them first.",
		"还有其他记录属于它，不能删除。请先删除或转移那些记录。",
	},
	"depends_on": {
		"This builds on a change that was refused. Please look at that one first.",
		"这项修改依赖的另一项修改未被接受，请先处理那一项。",
	},
	"rewritten": {
		"The app changed something that it had sent before. Please enter the new change once more.",
		"应用改动了已经提交过的内容，请把新的修改重新填写一次。",
	},
	"hole": {
		"Earlier changes of this device have not arrived yet. The app will send them first.",
		"本机之前的修改还没有送达，应用会先补发。",
	},
	"fork": {
		"This device was restored or copied, so it gets a new name. The app will send its changes again; nothing is lost.",
		"本机曾被恢复或复制，将启用新的设备标识。应用会重新提交修改，内容不会丢失。",
	},
	"foreign": {
		"The sync position on this device belongs to another device or person. The app will sync from the beginning; nothing that you entered is lost.",
		"本机的同步位置属于其他设备或人员，应用会重新同步，您填写的内容不会丢失。",
	},
	"horizon": {
		"This device has been away for too long to catch up. The app will sync from the beginning; nothing that you entered is lost.",
		"本机离线时间太长，应用会重新同步，您填写的内容不会丢失。",
	},
	"epoch": {
		"The server has been restored. The app will send its latest changes once more and sync; nothing is lost.",
		"服务器做过恢复，应用会补发最近的修改并重新同步，内容不会丢失。",
	},
	"rewound": {
		"The server went back to an earlier state. The app will send its latest changes once more and sync; nothing is lost.",
		"服务器回到了较早的状态，应用会补发最近的修改并重新同步，内容不会丢失。",
	},

	// The person and the organisation.
	"sign_in": {
		"The server is busy with other sign-ins. Please try again in a moment.",
		"登录人数较多，请稍后再试。",
	},
	"password": {
		"The name or the password is not right, or cannot be used.",
		"账号或密码不正确，或不符合要求。",
	},
	"credentials": {
		"The organisation, the name or the password is wrong.",
		"企业、账号或密码不正确。",
	},
	"login": {
		"The sign-in is not complete, or somebody else has this name.",
		"登录信息不完整，或该账号已被使用。",
	},
	"revoked": {
		"This device has been taken out of use. Please ask your manager.",
		"本机已被停用，请联系主管。",
	},
	"person": {
		"There is no such person.",
		"没有这个人员。",
	},
	"schema": {
		"The description of the records is not right, so it was not put into force.",
		"记录结构的定义有误，未能生效。",
	},
	"last_admin":  {"Somebody has to administer the organisation. Please make somebody else an administrator first.", "企业至少需要一名管理员，请先将其他人设为管理员。"},
	"user_delete": {"People are not deleted. Please mark somebody who has gone as left, so that his customers stay reachable.", "人员不能删除。请将离职人员标记为“已离职”，以便继续查看和交接其客户。"},
	"login_taken": {"Somebody else signs in with this login. Please choose another one.", "该登录名已被其他人使用，请换一个。"},
	"reference":   {"This names something that is not there. Please choose again.", "所选的内容不存在或已被删除，请重新选择。"},
	"server_kind": {"Records of this kind are made by the server alone.", "这类记录只能由系统自动创建。"},
	"locked": {
		"Too many wrong passwords. Please wait a while and try again.",
		"密码错误次数过多，请过一会儿再试。",
	},
	"token": {
		"Please sign in first. What you have entered stays on this device.",
		"请先登录。您已填写的内容会保留在本机。",
	},
	"expired": {
		"Your sign-in has expired. Please sign in again; what you have entered stays on this device.",
		"登录已过期，请重新登录。您已填写的内容会保留在本机。",
	},
	"role": {
		"Your role does not include this. If you need it, please ask your manager.",
		"您的角色没有这项权限，如有需要请联系主管。",
	},
	"catalogue": {
		"Shared records of the whole company are changed by administrators only.",
		"公司公共资料只能由管理员修改。",
	},
	"org": {
		"There is no such organisation, or the name is taken.",
		"企业不存在，或该名称已被使用。",
	},
}

package words

// ofWhatWasSent is said of mutations that cannot be read or judged.
var ofWhatWasSent = map[string]said{
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
	"pins": {
		"At most 20 customers can be pinned on one device. Please unpin another one first.",
		"一台设备最多固定 20 个客户，请先取消固定其他客户。",
	},
	"from": {
		"The period must begin with a month like 2026-08. Please update the app.",
		"时间范围必须以“2026-08”这样的月份开头，请更新应用。",
	},
}

package words

import "roadbook/errs"

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

// ofKinds is what is said when nothing but the kind of a failure is known.
var ofKinds = map[string]said{
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
}

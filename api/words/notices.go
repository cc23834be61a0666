package words

import (
	"strconv"
	"strings"
)

// notices are the titles of what people are told. A title is seen on a locked
// screen, so it names nobody and no amount.
var notices = map[string]said{
	"conflict_opened":    {"A change needs your decision", "有一处修改需要您决定"},
	"task_assigned":      {"You have a new task", "您有一个新任务"},
	"request_answered":   {"Your change request was answered", "您的变更申请有了答复"},
	"approval_waiting":   {"Something waits for your approval", "有一项审批等待您处理"},
	"approval_changed":   {"What you are to approve has changed", "待您审批的内容有变动"},
	"approval_reconfirm": {"Your decision needs to be confirmed: the figures have changed", "内容已变动，请重新确认您的审批意见"},
	"approval_approved":  {"Your request was approved", "您的申请已批准"},
	"approval_rejected":  {"A request was rejected", "申请未获批准"},
	"approval_returned":  {"Your request was returned to you", "您的申请被退回"},
	"approval_withdrawn": {"A request was taken back", "一项申请已撤回"},
	"approval_late":      {"This was decided before you", "该审批在您之前已有结果"},
	"customers_merged":   {"One of your customers was merged with another", "您的一位客户已与另一位合并"},
	"unread_below":       {"Something is waiting for one of your people", "您的下属有一项待办尚未查看"},

	"reminder_due":      {"You asked to be reminded", "您有一项提醒到时间了"},
	"reminder_missed":   {"A reminder has come late", "有一项提醒未能按时送达"},
	"reminder_assigned": {"A colleague has set you a reminder", "同事给您设置了一项提醒"},
}

// digest is the title of a message that tells of several.
var digest = said{"You have % new notifications", "您有 % 条新通知"}

// Digest is the title of a message that tells of so many, in a language.
func Digest(count int, lang Language) string {
	return strings.Replace(digest.in(lang), "%", strconv.Itoa(count), 1)
}

// Notice is the title of something that a person is told, in his language.
func Notice(code string, lang Language) string { return notices[code].in(lang) }

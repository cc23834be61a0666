package words

// ofApprovals is said of what has to be approved.
var ofApprovals = map[string]said{
	"flow": {
		"This flow cannot work as it is. What is wrong stands beside the place where it is.",
		"该审批流程无法使用，出错的位置见下方。",
	},
	"flow_used": {
		"This flow has been in use, so it stays as it is. Please publish another version.",
		"该流程已经启用，不能修改。请发布新版本。",
	},
	"condition": {
		"A condition cannot be worked out. Please tell an administrator.",
		"审批条件无法计算，请联系管理员。",
	},
	"no_flow": {
		"This needs no approval as it is.",
		"当前内容无需审批。",
	},
	"already_submitted": {
		"This was submitted before, and waits for a decision.",
		"该内容已提交审批，正在等待处理。",
	},
	"approval": {
		"An approval goes on by decisions. It cannot be changed or deleted.",
		"审批只能通过审批意见推进，不能修改或删除。",
	},
	"not_approver": {
		"This waits for somebody else to decide.",
		"该审批正等待其他人处理。",
	},
	"asked_already": {
		"This person is asked already.",
		"此人已在审批人之中。",
	},
	"seats": {
		"Too many people are asked in this step already.",
		"该步骤的审批人已达上限。",
	},
	"reason": {
		"Please say why.",
		"请填写原因。",
	},
	"field_locked": {
		"This waits for an approval and cannot be changed before. It can be taken back first.",
		"该内容正在审批，暂不能修改；如需修改请先撤回。",
	},
	"loop": {
		"This change leads to more changes than one may. Please tell an administrator.",
		"这项修改引发的后续修改过多，请联系管理员。",
	},
}

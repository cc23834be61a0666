package words

import (
	"cmp"

	"roadbook/errs"
	"roadbook/record"
)

// fixes say what to do about what was refused, by code.
var fixes = map[string]said{
	"parked":     {"Enter it again: what it builds on has not come back.", "它所依赖的内容没有恢复，请重新填写。"},
	"depends_on": {"Mend the change that it builds on; this one goes with it.", "先修改它所依赖的那一项，再一起重新提交。"},
	"required":   {"Fill in what is missing and send it again.", "补填缺少的内容后重新提交。"},
	"type":       {"Correct the field that is named and send it again.", "改正所提示的字段后重新提交。"},
	"choice":     {"Choose one of the values that are offered and send it again.", "从可选的值中选择后重新提交。"},
	"transition": {"Sync, look at the step as it is now, and choose one that can follow.", "先同步，查看当前状态，再选择允许的下一步。"},
	"floor":      {"Look at the balance as it is now and send a smaller amount.", "查看当前余额，减少数量后重新提交。"},
	"size":       {"Make it shorter, or save it in parts.", "精简内容或分几次保存。"},
	"deleted":    {"Bring the record back first, if it is still needed.", "如果仍然需要，请先恢复该记录。"},
	"parent":     {"Choose a customer who is there.", "请改选一个仍存在的客户。"},
	"reference":  {"Choose another record: the one that is named is not there.", "所选的记录已不存在，请改选。"},
	"zone":       {"Choose a time zone from the list and send it again.", "请从列表中选择时区后重新提交。"},
	"rule":       {"Correct the field that is named and publish the rule again.", "改正所提示的字段后重新发布规则。"},
	"rules":      {"Retire a rule that is not needed, and publish this one again.", "停用不需要的规则后重新发布。"},
	"published":  {"Retire it, and publish a new version.", "先停用，再发布新版本。"},
	"recurrence": {"Choose how often it comes again, or that it comes once, and send it again.", "请重新选择重复方式，或改为只提醒一次，再重新提交。"},
	"children":   {"Move or delete what belongs to it first.", "请先移走或删除它下面的记录。"},
	"missing":    {"Ask whoever has the record now; it is not there any more, or not for this person.", "该记录已不存在或已不归本人，请与现在的负责人联系。"},
	"owner":      {"Choose an owner who works here.", "请选择本企业在职的负责人。"},
	"merged":     {"Work on the customer that it became, or have the merge undone.", "请在合并后的客户上操作，或先撤销合并。"},
	"delegate":   {"Choose a colleague who may see the record.", "请选择有权查看该记录的同事。"},
	"answered":   {"Look at the answer; ask anew if it still matters.", "请查看已有的答复，如仍需要请重新申请。"},

	"reserve":        {"Sync, and take a reserve again from there; this one cannot be changed.", "请先同步，再重新预留；已有的预留不能改动。"},
	"reserve_amount": {"Reserve less at once.", "请减少一次预留的数量。"},
	"reserve_open":   {"Give back what this device has reserved first, or spend from it.", "请先退回或用完本设备已有的预留。"},
	"reserve_holder": {"Spend it on the device that has reserved it, or have a manager take it back.", "请在预留它的设备上使用，或由主管收回。"},
	"reserve_closed": {"Take another reserve, and enter it again.", "请重新预留后再填写。"},
	"number":         {"Take a number from the range of this device.", "请使用本设备预留的号码。"},
	"number_taken":   {"Take the next number of the range.", "请使用号段中的下一个号码。"},

	"undecided":   {"Decide in the inbox first.", "请先在收件箱中作出决定。"},
	"inbox":       {"Choose a value in the inbox, or hand it on to somebody else there.", "请在收件箱中选择一个值，或转交给其他人。"},
	"both":        {"Enter the one value that is to stand.", "该字段只能有一个值，请填写应当生效的那一个。"},
	"version":     {"Choose one of the versions, or enter another value.", "请选择其中一个版本，或另填一个值。"},
	"request":     {"Ask whoever answers for this field to accept or decline it.", "请由负责该字段的人接受或拒绝。"},
	"server_kind": {"Nothing: the server makes this itself when it is needed.", "无需处理：需要时系统会自动创建。"},
	"catalogue":   {"Ask an administrator to enter it.", "请由管理员录入。"},

	"kind_mismatch": {"Choose a record of the kind that belongs there.", "请改选类型正确的记录。"},
	"cycle":         {"Choose another one above it: it cannot stand below itself.", "请改选上级：不能隶属于自己。"},
	"record_size":   {"Put part of it into another record, a visit or a note.", "请把一部分内容移到另一条记录，例如拜访或备注。"},
	"last_admin":    {"Make somebody else an administrator first.", "请先指定另一位管理员。"},
	"login_taken":   {"Choose another login.", "请换一个登录名。"},
	"user_delete":   {"Mark the person as having left.", "请将此人标记为离职。"},

	"flow":              {"Mend the flow where it is wrong, and publish it again.", "请修正出错的位置后重新发布。"},
	"flow_used":         {"Publish another version of the flow.", "请发布该流程的新版本。"},
	"condition":         {"Have an administrator look at the flow.", "请由管理员检查该流程。"},
	"no_flow":           {"Nothing: go on without an approval.", "无需处理：不用审批即可继续。"},
	"already_submitted": {"Wait for the decision, or take the request back first.", "请等待审批结果，或先撤回原申请。"},
	"approval":          {"Decide, or take the request back.", "请提交审批意见，或撤回申请。"},
	"not_approver":      {"Ask whoever is to decide now.", "请联系当前的审批人。"},
	"asked_already":     {"Choose somebody else.", "请改选其他人。"},
	"seats":             {"Hand it on instead of adding somebody.", "请改用转交。"},
	"reason":            {"Enter a reason and send it again.", "请填写原因后重新提交。"},
	"field_locked":      {"Take the request back, change it, and submit it again.", "请先撤回申请，修改后再提交。"},
	"loop":              {"Have an administrator look at the flows.", "请由管理员检查相关流程。"},

	"refused": {"Look at the record as it is now, and enter it again if it still matters.", "查看记录的现状，如仍需要请重新填写。"},
	"stamp":   {"Set the clock of the device and enter it again.", "请校准设备时间后重新填写。"},
}

// ofPrograms are refusals that nobody can have typed: the app did something that
// it should not, or is older than what it was given.
var ofPrograms = map[string]bool{
	"after": true, "seen": true, "history": true, "rewritten": true, "op": true,
	"counter_set": true, "set_set": true, "not_set": true, "not_counter": true, "server_field": true,
	"unknown_kind": true, "unknown_field": true,
}

var (
	fixOfDenied  = said{"Ask a manager to do it, or to give the right.", "请由主管处理，或申请相应权限。"}
	fixOfWaiting = said{"Nothing: it comes in by itself when what it builds on is back.", "无需处理：它所依赖的内容恢复后会自动生效。"}
	fixOfProgram = said{"Update the app and enter it again; tell the administrator if that does not help.", "请更新应用后重新填写；如仍不行，请联系管理员。"}
	fixOfOthers  = said{"Look at the record as it is now, and enter it again.", "查看记录的现状后重新填写。"}
)

// Fix says what to do about a change that was refused, or that waits.
func Fix(r *record.Refusal, waits bool, lang Language) string {
	switch {
	case waits:
		return fixOfWaiting.in(lang)
	case fixes[r.Code] != said{}:
		return fixes[r.Code].in(lang)
	case ofPrograms[r.Code]:
		return fixOfProgram.in(lang)
	case r.Kind == errs.Denied:
		return fixOfDenied.in(lang)
	}
	return cmp.Or(fixOfOthers.in(lang), r.Detail)
}

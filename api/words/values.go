package words

// ofValues is said of fields and what stands in them.
var ofValues = map[string]said{
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
	"preference": {
		"This is not where your preferences are kept. Please update the app.",
		"通知偏好的编号有误，请更新应用。",
	},
	"quiet": {
		"Quiet hours need a beginning, an end and a time zone.",
		"免打扰时段需要填写开始时间、结束时间和时区。",
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
	"zone": {
		"There is no such time zone. One is written as Asia/Shanghai.",
		"没有这个时区，请使用 Asia/Shanghai 这样的名称。",
	},
	"rule": {
		"This rule cannot work. What is wrong stands beside the field.",
		"该规则无法运行，原因见相应字段。",
	},
	"rules": {
		"There are as many rules as an organisation can have. Please retire one first.",
		"规则数量已达上限，请先停用一条。",
	},
	"published": {
		"What is published is not changed any more. Please make a new version.",
		"已发布的内容不能再修改，请另建新版本。",
	},
	"recurrence": {
		"The repetition cannot be used. Please choose another one.",
		"重复规则无法使用，请重新选择。",
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
	"reserve": {
		"A reserve is spent by its own device or given back, and cannot be changed otherwise.",
		"预留只能由持有设备使用或退回，不能另行修改。",
	},
	"reserve_amount": {"This is more than one device may reserve at once.", "超出单台设备一次可预留的数量。"},
	"reserve_open": {
		"This device has a reserve of this already. Please give that back first.",
		"本设备已有一份预留，请先退回。",
	},
	"reserve_closed": {"This reserve was given back, or taken back by a manager.", "该预留已退回或已被主管收回。"},
	"reserve_holder": {
		"Only its own device can use a reserve or give it back; a manager can take it back.",
		"预留只能由持有设备使用或退回，主管可以收回。",
	},
	"number":       {"This number is not among those reserved for this device.", "该号码不在本设备预留的号段内。"},
	"number_taken": {"This number has been used already. Please take the next one.", "该号码已被使用，请取下一个。"},
	"request": {
		"A change request is declined by whoever answers for the field, or taken back by its author. To accept it, change the field itself.",
		"变更申请只能由该字段的负责方拒绝，或由申请人撤回；同意请直接修改该字段。",
	},
	"answered": {
		"This change request has been answered already.",
		"该变更申请已经处理过了。",
	},
	"transition": {
		"This step cannot be taken from where the record stood on your screen.",
		"从屏幕上显示的状态不能直接变为这个状态。",
	},
	"undecided": {
		"Too many people have changed this at the same time. One version has to be decided for first.",
		"同时修改此处的人太多，请先从已有的版本中选定一个。",
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
}

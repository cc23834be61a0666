package words

// ofPeople is said of sign-ins, people and organisations.
var ofPeople = map[string]said{
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
	"both": {
		"Only one of the two can stand here. Please choose one, or enter another value.",
		"这里只能保留一个值，请选择其一或另行填写。",
	},
	"version": {
		"It is not clear which version is meant. Please choose one, or enter another value.",
		"无法确定要保留哪一方的值，请选择其一或另行填写。",
	},
	"delegate": {
		"This cannot be handed to a colleague who may not see the record. Please choose somebody else.",
		"该同事无权查看相关记录，不能转交给他，请另选他人。",
	},
	"inbox": {
		"A conflict is decided or handed to a colleague; it is not deleted, reopened or signed by hand.",
		"冲突只能处理或转交，不能删除、重新打开或由他人代签。",
	},
	"server_kind": {"Records of this kind are made by the server alone.", "这类记录只能由系统自动创建。"},
	"channel": {
		"The server knows no such way to reach a device.",
		"系统不支持这种推送渠道。",
	},
	"address": {
		"This is not an address by which a device can be reached.",
		"推送令牌无效。",
	},
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

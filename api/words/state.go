package words

// ofState is said when what is sent does not fit to what has happened.
var ofState = map[string]said{
	"deleted": {
		"This has been deleted. It can be restored by somebody with the right to.",
		"这条记录已被删除，有权限的人可以将其恢复。",
	},
	"merged": {
		"This has been merged into another customer. Please undo the merge, if it was a mistake.",
		"这条记录已并入另一客户；如属误合并，请撤销合并。",
	},
	"children": {
		"Other records belong to this one, so it cannot be deleted. Please delete or move them first.",
		"还有其他记录属于它，不能删除。请先删除或转移那些记录。",
	},
	"depends_on": {
		"This builds on a change that was refused. Please look at that one first.",
		"这项修改依赖的另一项修改未被接受，请先处理那一项。",
	},
	"parked": {
		"What this change builds on was lost and has not come back. Please look at it and enter it again.",
		"这项修改所依赖的内容已丢失且未能恢复，请检查后重新填写。",
	},
	"refused": {
		"This change was refused before. It was not saved.",
		"这项修改之前已被拒绝，未保存。",
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
	"sight": {
		"What you may see has changed. The app will fetch everything anew; nothing is lost.",
		"您的可见范围已变更，应用会重新获取全部数据，内容不会丢失。",
	},
	"scopes": {
		"The app asked for too much at once. Please update the app.",
		"应用一次请求的内容过多，请更新应用。",
	},
	"rewound": {
		"The server went back to an earlier state. The app will send its latest changes once more and sync; nothing is lost.",
		"服务器回到了较早的状态，应用会补发最近的修改并重新同步，内容不会丢失。",
	},
}

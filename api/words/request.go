package words

// ofRequests is said of a request as such, whatever it asks.
var ofRequests = map[string]said{
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
	"upgrade": {
		"This address is for a live connection. Please update the app.",
		"该地址仅用于实时连接，请更新应用。",
	},
	"sockets": {
		"Too many devices are connected at the moment. The app goes on without a live connection.",
		"当前实时连接过多，应用会以普通方式继续同步。",
	},
	"own_sockets": {
		"You are signed in on many devices at once. This one goes on without a live connection.",
		"您同时在多台设备上登录，本设备将以普通方式继续同步。",
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
	"crowded": {
		"Many devices are syncing at once. Nothing is lost; yours has kept its place and tries again by itself.",
		"同时同步的设备较多。数据不会丢失，本机已保留排队位置，稍后会自动重试。",
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
	"parameter": {
		"Something in what was asked for is not right. Please correct it, or update the app.",
		"请求的参数有误，请修改后重试，或更新应用。",
	},
	"idempotency_key": {
		"The app has to give every change a key of its own, a UUID in the header Idempotency-Key. Nothing was saved; please update the app.",
		"应用没有为这次修改提供标识（请求头 Idempotency-Key 应为 UUID），内容未保存，请更新应用。",
	},
}

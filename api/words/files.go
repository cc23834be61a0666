package words

// ofFiles are photos and other files.
var ofFiles = map[string]said{
	"blob": {
		"This file is not here, or has not arrived yet.",
		"文件不存在，或尚未上传完成。",
	},
	"hash": {
		"The SHA-256 of a file is given as 64 digits of lower-case hex.",
		"文件的 SHA-256 应为 64 位小写十六进制字符。",
	},
	"blob_size": {
		"This file is too large.",
		"文件过大。",
	},
	"blob_cut": {
		"The file did not arrive in full; send it again.",
		"文件未完整到达，请重新发送。",
	},
	"blob_bytes": {
		"The file has another length than was announced; send it again.",
		"文件长度与声明的不一致，请重新发送。",
	},
	"blob_hash": {
		"The file is not the one that was announced; send it again.",
		"文件内容与声明的不一致，请重新发送。",
	},
	"blob_room": {
		"The server has no room for files at the moment. What you typed is safe; the file is sent again later.",
		"服务器暂时没有空间存放文件。您输入的内容是安全的，文件稍后会重新发送。",
	},
}

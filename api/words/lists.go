package words

// ofLists is said of lists and of what else is asked online.
var ofLists = map[string]said{
	"filter": {
		"This filter cannot be used. What is wrong stands beside the character where it is.",
		"筛选条件无法使用，出错的位置见下方字符序号。",
	},
	"sort": {
		"The list cannot be sorted by this. Please choose another field.",
		"列表不能按此字段排序，请换一个字段。",
	},
	"page": {
		"This page belongs to another list. Please open the list again.",
		"该页不属于当前列表，请重新打开列表。",
	},
	"limit": {
		"This is more than one page can hold. Please ask for fewer.",
		"每页数量超过上限，请减少每页数量。",
	},
	"restore": {
		"This change gave the field no value that could be restored. Please choose another change of the history.",
		"这次修改没有为该字段写入可恢复的内容，请在历史中选择另一次修改。",
	},
	"indexing": {
		"The lists are just being made for new fields. Please try again in a moment.",
		"系统正在为新字段整理列表，请稍后再试。",
	},
}

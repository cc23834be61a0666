package demo

import (
	"math"
	"strconv"
	"strings"
)

// city is where a rep works. Its districts are in the order of a round trip.
type city struct {
	name      string
	districts []district
}

// district has a centre in GCJ-02, as Chinese maps give it, and streets.
type district struct {
	name     string
	lat, lng float64
	streets  []string
}

// spreadDegrees is how far from the centre of its district an account may lie:
// about a kilometre and a half.
const spreadDegrees = 0.014

// around is a point in the district.
func (a district) around(d *dice) point {
	offset := func() float64 { return (float64(d.n(2001))/1000 - 1) * spreadDegrees }
	return point{a.lat + offset(), a.lng + offset()}
}

// address is a house in the district, as people write it.
func (c city) address(d *dice, in district, street string) string {
	s := c.name + "市" + in.name + street + strconv.Itoa(d.between(1, 1280)) + "号"
	switch d.n(5) {
	case 0:
		s += "底商" + strconv.Itoa(d.between(1, 38)) + "铺"
	case 1:
		s += strconv.Itoa(d.between(1, 6)) + "幢" + strconv.Itoa(d.between(1, 3)) + "楼"
	}
	return s
}

// point is a place in GCJ-02.
type point struct{ lat, lng float64 }

// near is where a phone says it is: some 30 metres off.
func (p point) near(d *dice) point {
	const metres30 = 0.0003
	offset := func() float64 { return (float64(d.n(201))/100 - 1) * metres30 }
	return point{p.lat + offset(), p.lng + offset()}
}

// json is the value of a place, with its accuracy in metres.
func (p point) json(accuracy int) string {
	b := append(make([]byte, 0, 64), `{"lat":`...)
	b = degrees(b, p.lat)
	b = append(b, `,"lng":`...)
	b = degrees(b, p.lng)
	b = append(b, `,"crs":"gcj02","accuracy":`...)
	b = strconv.AppendInt(b, int64(accuracy), 10)
	return string(append(b, '}'))
}

// degrees writes a coordinate to the tenth of a metre.
func degrees(b []byte, x float64) []byte {
	return strconv.AppendFloat(b, math.Round(x*1e6)/1e6, 'f', -1, 64)
}

func area(name string, lat, lng float64, streets string) district {
	return district{name, lat, lng, strings.Fields(streets)}
}

// cities are those in which the demo's reps work.
var cities = map[string]city{
	"上海": {"上海", []district{
		area("徐汇区", 31.189, 121.437, "漕溪北路 肇嘉浜路 天钥桥路 龙华中路 宛平南路"),
		area("长宁区", 31.221, 121.425, "长宁路 仙霞路 天山路 虹桥路 愚园路"),
		area("普陀区", 31.250, 121.397, "曹杨路 长寿路 真北路 武宁路 金沙江路"),
		area("静安区", 31.229, 121.448, "南京西路 北京西路 江宁路 共和新路 延平路"),
		area("虹口区", 31.265, 121.505, "四川北路 曲阳路 大连西路 东大名路 广中路"),
		area("杨浦区", 31.260, 121.526, "控江路 四平路 黄兴路 翔殷路 长阳路"),
		area("浦东新区", 31.222, 121.545, "张杨路 世纪大道 浦东大道 杨高中路 锦绣路"),
		area("闵行区", 31.113, 121.382, "七莘路 沪闵路 莘松路 都市路 春申路"),
	}},
	"杭州": {"杭州", []district{
		area("西湖区", 30.259, 120.130, "文三路 天目山路 古墩路 文一西路"),
		area("拱墅区", 30.319, 120.142, "莫干山路 湖墅南路 大关路 登云路"),
		area("上城区", 30.243, 120.169, "中河中路 江城路 解放路 庆春路"),
		area("滨江区", 30.208, 120.212, "江南大道 滨盛路 长河路 江陵路"),
		area("萧山区", 30.184, 120.264, "市心中路 金城路 人民路 通惠路"),
	}},
	"苏州": {"苏州", []district{
		area("姑苏区", 31.311, 120.617, "人民路 干将东路 临顿路 劳动路"),
		area("虎丘区", 31.296, 120.572, "狮山路 塔园路 金山路 滨河路"),
		area("吴中区", 31.263, 120.632, "东吴北路 宝带西路 石湖西路 吴中大道"),
		area("相城区", 31.369, 120.643, "阳澄湖中路 采莲路 齐门北大街 人民路"),
	}},
	"南京": {"南京", []district{
		area("玄武区", 32.049, 118.798, "珠江路 中山东路 龙蟠路 丹凤街"),
		area("鼓楼区", 32.066, 118.770, "中央路 中山北路 湖南路 草场门大街"),
		area("秦淮区", 32.039, 118.795, "中山南路 太平南路 瑞金路 大光路"),
		area("建邺区", 32.004, 118.732, "江东中路 应天大街 水西门大街 集庆门大街"),
		area("江宁区", 31.953, 118.840, "双龙大道 天元中路 竹山路 金箔路"),
	}},
	"广州": {"广州", []district{
		area("天河区", 23.125, 113.361, "天河路 中山大道西 黄埔大道西 体育东路"),
		area("越秀区", 23.129, 113.267, "中山五路 北京路 东风中路 环市东路"),
		area("海珠区", 23.084, 113.317, "江南大道中 新港中路 昌岗中路 宝业路"),
		area("白云区", 23.158, 113.273, "机场路 白云大道北 广园中路 三元里大道"),
		area("番禺区", 22.938, 113.384, "大北路 清河东路 富华西路 光明北路"),
	}},
	"深圳": {"深圳", []district{
		area("南山区", 22.533, 113.930, "南海大道 桃园路 科苑路 学府路"),
		area("福田区", 22.522, 114.055, "深南大道 福华路 振华路 新洲路"),
		area("罗湖区", 22.548, 114.131, "人民南路 东门中路 宝安南路 文锦中路"),
		area("宝安区", 22.555, 113.884, "前进一路 新湖路 创业一路 裕安一路"),
		area("龙岗区", 22.721, 114.247, "龙翔大道 龙福路 德政路 黄阁路"),
	}},
	"成都": {"成都", []district{
		area("锦江区", 30.655, 104.083, "春熙路 红星路三段 东大街 锦华路一段"),
		area("武侯区", 30.642, 104.043, "武侯大道 科华北路 人民南路四段 高攀路"),
		area("青羊区", 30.674, 104.062, "人民中路 光华大道 青羊大道 清江东路"),
		area("成华区", 30.660, 104.102, "建设路 双林路 二环路北四段 猛追湾街"),
		area("双流区", 30.574, 103.923, "棠湖南路 航空路 白河路 西安路"),
	}},
	"武汉": {"武汉", []district{
		area("江汉区", 30.601, 114.271, "解放大道 江汉路 新华路 建设大道"),
		area("汉阳区", 30.554, 114.219, "汉阳大道 龙阳大道 鹦鹉大道 马鹦路"),
		area("武昌区", 30.554, 114.316, "中南路 中北路 武珞路 和平大道"),
		area("洪山区", 30.500, 114.344, "珞喻路 雄楚大道 虎泉街 珞狮路"),
	}},
}

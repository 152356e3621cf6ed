"""Senses: what words of fifteen languages mean to a painter beside the names of things: relations, weather, hours, grounds."""

from __future__ import annotations

import re


def _table(text: str) -> dict[str, str]:
    """{"word": "meaning"} of lines "meaning: word, word"."""
    found: dict[str, str] = {}
    for line in text.strip().splitlines():
        meaning, _, words = line.partition(":")
        for word in words.split(","):
            if word.strip():
                found.setdefault(word.strip(), meaning.strip())
    return found


RELATIONS = _table("""
on: on, upon, atop, onto, riding, sobre, encima, sur, auf, su, sulla, sul, sullo, em cima, на, 上, 위, पर, على, üstünde, di atas, روی
in: in, inside, into, within, en, dentro, dans, im, ins, nel, nella, nello, em, no, na, в, во, 中, 里, 안, में, في, içinde, dalam, در
under: under, beneath, below, underneath, bajo, debajo, sous, unter, unterm, sotto, sob, под, 下, 아래, 밑, नीचे, تحت, altında, di bawah, زیر
over: over, above, across, über, überm, encima de, au dessus, sopra, por cima, над, फूल के ऊपर, فوق, üzerinde, بالای
beside: beside, near, by, with, and, next, between, at, against, y, con, junto, et, avec, und, mit, neben, bei, e, com, и, с, рядом, と, 和, 와, 과, और, و, ve, ile, dan, با
""")
"""How the thing before stands to the thing after."""

AIR = _table("""
rain: rain, rainy, raining, rainfall, downpour, drizzle, lluvia, lloviendo, pluie, regen, regnet, pioggia, chuva, дождь, дождём, дождем, 雨, 비, बारिश, مطر, المطر, yağmur, hujan, باران
snow: snow, snowy, snowing, snowfall, blizzard, nieve, nevando, neige, schnee, schneit, neve, снег, снегом, снегу, снеге, 雪, 눈, बर्फ, ثلج, الثلج, kar, salju, برف
storm: storm, stormy, thunderstorm, thunder, lightning, tempest, tormenta, rayo, orage, tempête, sturm, gewitter, blitz, tempesta, temporale, fulmine, tempestade, raio, буря, гроза, молния, 嵐, 雷, 暴风雨, 闪电, 폭풍, 번개, तूफान, बिजली, عاصفة, fırtına, badai, طوفان
fog: fog, foggy, mist, misty, haze, hazy, niebla, brume, brouillard, nebel, nebbia, névoa, nevoeiro, туман, тумане, 霧, 雾, 안개, कोहरा, ضباب, sis, kabut, مه
night: night, nights, nighttime, midnight, nocturnal, noche, medianoche, nuit, nacht, mitternacht, notte, noite, ночь, ночью, ночи, 夜, 밤, रात, ليل, الليل, gece, malam, شب
dusk: sunset, dusk, twilight, evening, atardecer, ocaso, tarde, crépuscule, soir, abend, abenddämmerung, tramonto, crepuscolo, sera, entardecer, anoitecer, закат, вечер, вечером, 夕日, 夕方, 夕焼け, 日落, 黄昏, 석양, 저녁, शाम, غروب, gün batımı, senja, غروب آفتاب
dawn: dawn, sunrise, morning, daybreak, amanecer, alba, madrugada, aube, aurore, matin, morgen, sonnenaufgang, mattino, amanhecer, manhã, рассвет, утро, 朝, 夜明け, 日出, 黎明, 새벽, 아침, सुबह, فجر, şafak, fajar, سپیده
wind: wind, windy, breeze, viento, vent, vento, ветер, 風, 风, 바람, हवा, ريح, rüzgar, angin, باد
stars: stars, starry, starlight, starlit, estrellas, étoiles, sterne, sternen, sternenhimmel, stelle, estrelas, звёзды, звезды, звёздами, звездами, 星, 星空, 별, तारे, نجوم, yıldızlar, bintang, ستاره
""")
"""Weather and hours."""

GROUNDS = _table("""
sea: sea, seas, ocean, oceans, lake, river, pond, water, waters, bay, harbour, harbor, lagoon, waves, mar, océano, lago, río, agua, mer, océan, lac, rivière, eau, meer, ozean, see, fluss, wasser, mare, oceano, fiume, acqua, rio, água, море, морем, океан, озеро, озере, река, вода, 海, 湖, 川, 大海, 河, 바다, 호수, 강, समुद्र, सागर, झील, नदी, बحر, بحر, البحر, بحيرة, نهر, deniz, göl, laut, danau, دریا
mountains: mountain, mountains, hill, hills, cliff, cliffs, valley, peak, peaks, alps, montaña, montañas, montagne, montagnes, berg, berge, bergen, colline, montanha, montanhas, гора, горы, горах, 山, 山脉, 산, पहाड़, جبل, جبال, dağ, gunung, کوه
forest: forest, forests, wood, woods, jungle, woodland, bosque, selva, forêt, bois, jungle, wald, walde, foresta, bosco, floresta, лес, лесу, 森, 森林, 숲, जंगल, غابة, orman, hutan, جنگل
meadow: meadow, field, fields, garden, grass, lawn, prairie, park, prado, campo, jardín, prairie, champ, jardin, wiese, feld, garten, prato, giardino, jardim, луг, поле, сад, 野原, 草原, 花园, 초원, 정원, मैदान, बगीचा, حقل, حديقة, bahçe, taman, باغ
dunes: desert, deserts, dune, dunes, sand, beach, shore, sahara, desierto, playa, arena, désert, plage, wüste, strand, deserto, spiaggia, praia, пустыня, пустыне, пляж, 砂漠, 沙漠, 海滩, 사막, 해변, रेगिस्तान, صحراء, çöl, gurun, pantai, بیابان
city: city, cities, town, street, streets, skyline, downtown, metropolis, rooftops, alley, ciudad, calle, ville, rue, stadt, straße, città, strada, cidade, rua, город, городе, улица, 街, 都市, 城市, 도시, 거리, शहर, مدينة, şehir, kota, شهر
space: space, universe, galaxy, cosmos, outer, orbit, nebula, espacio, universo, espace, univers, weltraum, weltall, all, galaxie, spazio, espaço, космос, космосе, вселенная, 宇宙, 太空, 우주, अंतरिक्ष, فضاء, uzay, luar angkasa, فضا
""")
"""Grounds on which things stand."""

COUNTS = {
    word: number
    for number, words in {
        2: "two pair couple both twin zwei paar dos par deux due dois duas два две 二 两 두 दो اثنان iki dua دو",
        3: "three trio drei tres trois tre três три трое 三 세 तीन ثلاثة üç tiga سه",
        4: "four vier cuatro quatre quattro quatro четыре 四 네 चार أربعة dört empat چهار",
        5: "five fünf cinco cinq cinque пять 五 다섯 पांच पाँच خمسة beş lima پنج",
        6: "six sechs seis sei шесть 六 여섯 छह ستة altı enam شش dozen many several some herd flock pack swarm crowd lots",
        7: "seven sieben siete sept sette sete семь 七 일곱 सात سبعة yedi tujuh هفت",
    }.items()
    for word in words.split()
}
COUNTS |= {"2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7, "8": 7, "9": 7, "10": 7}
COUNTS |= dict.fromkeys("six eight nine ten".split(), 6)

COLOURS = {
    "roja rojo rouge rot rote roter rotes rosso rossa vermelho vermelha красный красная красное 赤い 赤 红 红色 빨간 लाल أحمر kırmızı merah قرمز crimson scarlet ruby": "red",
    "naranja arancione laranja orangener оранжевый オレンジ 橙 주황 नारंगी برتقالي turuncu": "orange",
    "amarillo amarilla jaune gelb gelbe gelber giallo gialla amarelo amarela жёлтый желтый 黄色い 黄色 黄 노란 पीला أصفر sarı kuning زرد": "yellow",
    "verde vert verte grün grüne grüner зелёный зеленый зелёная 緑 緑の 绿色 绿 초록 हरा أخضر yeşil hijau سبز emerald": "green",
    "azul bleu bleue blau blaue blauer blu azzurro синий синяя голубой 青い 青 蓝色 蓝 파란 नीला أزرق mavi biru آبی navy": "blue",
    "morado morada violet violeta violette lila viola roxo roxa фиолетовый 紫 紫色 보라 बैंगनी بنفسجي mor ungu بنفش": "purple",
    "rosado rosafarben розовый ピンク 粉色 분홍 गुलाबी وردي pembe": "pink",
    "negro negra noir noire schwarz schwarze schwarzer nero nera preto preta чёрный черный чёрная 黒い 黒 黑色 黑 검은 काला أسود siyah hitam سیاه": "black",
    "blanco blanca blanc blanche weiß weiße weißer bianco bianca branco branca белый белая 白い 白 白色 하얀 흰 सफेद أبيض beyaz putih سفید": "white",
    "golden dorado doré goldene goldener dorato dourado золотой золотая 金色 सुनहरा ذهبي altın": "gold",
    "silvery plateado argenté silbern silberne argento prateado серебряный 銀色 银色": "silver",
    "gris grau graue grauer grigio cinza серый серая 灰色 회색": "grey",
}
COLOUR_WORDS = {word: colour for words, colour in COLOURS.items() for word in words.split()}
COLOUR_WORDS |= {
    c: c for c in "red orange yellow green blue purple pink black white grey gold silver brown turquoise teal".split()
}
COLOUR_WORDS |= {"gray": "grey", "cyan": "turquoise", "magenta": "pink"}

STOP = frozenset(
    (
        "a an the of to at for or from about like is are be was were it its my your our their his her this that these those as than "
        "der die das den dem des ein eine einer einem einen am zu zum zur von vor bei für les la le un une el los las lo il gli "
        "unos unas uno una de del della dello dei degli delle di da do dos das du des al alla ai aux au à a o os as um uma i y o u "
        "für the not no all very so too up down off out away through it's there here row rows line circle group made full ein "
        "の は が を に で も の的 了 着 은 는 이 가 을 를 의 에 का की के है एक ال من إلى bir se sang yang y'a l d que qui"
    ).split()
)
"""Words that carry no meaning of their own."""

NO_THINGS = frozenset(
    (
        # adjectives
        "old new big broken giant little tiny small calm grand great huge large long short tall young lonely happy sad angry mad "
        "quiet loud silent soft hard hot cold warm cool wet dry dark light bright beautiful pretty ugly strange weird wild free lost "
        "empty full deep high low slow fast quick gentle brave proud sleepy tired hungry electric magic magical enchanted ancient "
        "modern futuristic retro vintage classic abandoned forgotten secret hidden invisible infinite endless eternal final first "
        "last next distant far close open closed sweet bitter sour fresh rotten rusty shiny glowing burning frozen melting floating "
        "flying falling drifting sleeping dancing running jumping singing howling screaming laughing crying smiling sitting standing "
        "walking swimming climbing learning dreaming waiting watching looking reading playing eating drinking riding driving "
        "sailing fishing hunting chasing holding wearing carrying talking shining blooming growing hiding exploding erupting "
        "alone together apart away upside down inside out sports sport funny cute fat thin heavy light rich poor evil good bad holy "
        "noble royal real fake pure perfect simple complex gigantic massive enormous miniature neon psychedelic dreamy cosmic "
        "mechanical digital analog urban rural tropical arctic northern southern eastern western golden silver lovely fluffy furry "
        "spiky round square flat sharp smooth rough wooden metallic stone steel glass paper plastic velvet silky "
        # verbs and particles
        "dance dances run runs jump jumps sing sings howl howls fall falls fly flies swim swims dream dreams sleep sleeps eat eats "
        "drink drinks play plays look looks see sees watch watches go goes going come comes coming make makes making made take takes "
        "give gives get gets keep keeps let lets say says tell tells think thinks know knows want wants need needs feel feels find "
        "finds hold holds leave leaves turn turns move moves live lives die dies dying stay stays stand stands sit sits walk walks "
        "wait waits meet meets break breaks burn burns grow grows rise rises rising shine shines shining begin begins end ends "
        "ending learn learns remember forget love loves hate hates if then when where while because until after before during "
        "again always never ever forever now today tomorrow yesterday only just still even almost maybe "
        # what has no picture of its own
        "sunday monday tuesday wednesday thursday friday saturday afternoon day days week month year years summer winter spring "
        "autumn season hour hours minute moment century everything nothing something anything everyone someone nobody anyone "
        "melancholy nostalgia freedom silence euphoria longing chaos order peace hope fear joy sadness sorrow grief happiness "
        "anger rage loneliness solitude despair desire passion beauty truth justice memory memories future past present eternity "
        "infinity reality dreaming life death soul spirit mind thought thoughts idea ideas feeling feelings mood energy power "
        "strength courage wisdom knowledge faith destiny fate luck chance mystery magic harmony balance symmetry rhythm passage "
        "journey story tale world kingdom place places thing things way ways part parts side edge top bottom middle end beginning "
        "kind sort piece pieces lot bit number colour color colours colors shape shapes sound sounds noise voice song songs music "
        "mirror-image row view scene picture image style home land country nation people person man men woman women child children "
        "boy girl crowd family friend friends stranger god vu déjà deja"
        # other languages' small words
        " y o e i и а но в во на с со к по за из от und oder aber nicht sehr et ou mais pas très ma non molto mas não muito pero "
        "muy और या पर में से को का की के 와 과 의 은 는 이 가 을 를 に を は が の と で も 和 与 在 的 了 و في من على"
    ).split()
)
"""Words that are passed over as words of meaning: said to be missed, never drawn as the thing that a model finds nearest."""

ALIASES = _table("""
hot beverage: coffee, café, kaffee, caffè, кофе, コーヒー, 咖啡, 커피, कॉफ़ी, कॉफी, قهوة, tea, cup, cup of coffee, cup of tea, espresso, latte
airballoon: hot air balloon, hot air balloons, heißluftballon, montgolfière, globo aerostático, mongolfiera
musical keyboard: piano, grand piano, klavier, pianoforte, пианино, рояль, ピアノ, 钢琴, 피아노, पियानो, بيانو, keyboard, synthesizer, synthesiser
sailboat: boat, sailboat, sailing boat, sail boat, ship at sea, yacht, barco, bateau, boot, segelboot, barca, barco à vela, лодка, парусник, 船, ヨット, 帆船, 배, नाव, قارب, tekne, perahu, paper boat, dinghy
sail boat: pirate ship, sailing ship, galleon, frigate, caravel
locomotive: train, steam train, locomotive, zug, tren, treno, trem, поезд, 列車, 电车, 火车, 기차, रेलगाड़ी, قطار, kereta api
racing car: racing car, race car, formula one
car sports: sports car, sportscar, supercar, convertible car, fast car, ferrari, porsche
automobile: car, coche, voiture, auto, wagen, macchina, carro, машина, автомобиль, 車, 汽车, 자동차, गाड़ी, سيارة, araba, mobil
crescent moon: moon, moonlight, luna, lune, mond, lua, луна, луну, луной, 月, 月亮, 달, चाँद, चांद, قمر, القمر, ay, bulan, ماه
sun: sun, sunlight, sunshine, sol, soleil, sonne, sole, солнце, 太陽, 太阳, 태양, सूरज, सूर्य, شمس, الشمس, güneş, matahari, خورشید
lion: lion, lions, león, löwe, leone, leão, лев, ライオン, 狮子, 사자, शेर, أسد, aslan, singa, شیر
star: star, estrella, étoile, stern, stella, estrela, звезда
ringed planet: planet, saturn, planète, planeta, pianeta, планета, 惑星, 행성
flying saucer: ufo, spaceship, spacecraft, alien ship, starship, raumschiff, nave espacial, vaisseau spatial, astronave, космический корабль, 宇宙船, 飞船, 우주선
robot: robot, robots, android, cyborg, roboter, робот, ロボット, 机器人, 로봇, रोबोट, روبوت
t rex: dinosaur, dinosaurs, dinosaurier, dinosaurio, dinosaure, динозавр, 恐竜, 恐龙, 공룡, डायनासोर
rocket: rocket, rockets, rakete, cohete, fusée, razzo, foguete, ракета
night with stars: starry night
snow capped mountain: mount fuji, everest, matterhorn
house: house, home, cottage, cabin, hut, casa, maison, haus, дом, 家, 집, घर, بيت, ev, rumah
evergreen tree: pine, fir, christmas tree, conifer, spruce
deciduous tree: tree, oak, árbol, arbre, baum, albero, árvore, дерево, 木, 树, 나무, पेड़, شجرة, ağaç, pohon
rose: rose, roses
hibiscus: flower, flor, fleur, blume, fiore, цветок, 花, 꽃, फूल, زهرة, çiçek, bunga
hourglass done: hourglass, time, sanduhr, reloj de arena, sablier, clessidra, ampulheta
dove: bird, peace dove
cat: cat, cats, kitten, gato, gata, chat, chats, katze, katzen, gatto, кот, кошка, кошки, ねこ, 猫, ネコ, 고양이, बिल्ली, قطة, kedi, kucing
dog: dog, dogs, puppy, perro, chien, hund, hunde, cane, cachorro, cão, собака, 犬, いぬ, 狗, 개, कुत्ता, كلب, köpek, anjing
rabbit: rabbit, rabbits, bunny, hare, conejo, lapin, hase, kaninchen, coniglio, coelho, кролик, заяц, うさぎ, 兎, 兔子, 토끼, खरगोश, أرنب
horse: horse, horses, stallion, mare, caballo, cheval, pferd, pferde, cavallo, cavalo, лошадь, конь, 馬, 马, 말, घोड़ा, حصان
monkey: monkey, ape, mono, singe, affe, scimmia, macaco, обезьяна
cow: cow, cows, vaca, vache, kuh, mucca, корова
pig: pig, piglet, cerdo, cochon, schwein, maiale, porco, свинья
tiger: tiger, tigre, тигр, 虎, 호랑이, बाघ, نمر
mouse: mouse, mice, ratón, souris, maus, topo, rato, мышь
bear: bear, bears, oso, ours, bär, orso, urso, медведь, 熊, 곰, भालू, دب
spouting whale: whale, whales, ballena, baleine, wal, balena, baleia, кит, 鯨, 鲸鱼, 고래, व्हेल, حوت
guitar: guitar, electric guitar, guitarra, guitare, gitarre, chitarra, гитара, ギター, 吉他, 기타, गिटार, غيتار
skull: skull, cráneo, crâne, schädel, teschio, caveira, череп
balloon: balloon, balloons, globo, ballon, luftballon, palloncino, balão, воздушный шар
umbrella: umbrella, umbrellas, parasol, paraguas, parapluie, regenschirm, ombrello, guarda chuva, зонт, зонтик, 傘, 伞, 우산, छाता, مظلة
person walking: walker, wanderer, traveller, traveler
person running: runner, jogger
man dancing: dancer, dancers
woman dancing: ballerina
astronaut: astronaut, astronauts, cosmonaut, spaceman, astronauta, astronaute, космонавт, 宇航员, 우주비행사
palm tree: palm, palms, palm tree, palm trees
volcano: volcano, volcán, volcan, vulkan, vulcano, vulcão, вулкан, 火山, 화산
fire: fire, flame, flames, fuego, feu, feuer, fuoco, fogo, огонь, 火, 불, आग, نار
bridge: bridge, puente, pont, brücke, ponte, мост
kite: kite
bell: bell, church bell
crown: crown
eye: eye
wind face: gust
tractor: tractor
television: television, tv
telephone: telephone, phone
key: key
book: book
open book: open book
ghost: ghost, ghosts, phantom
angel: angel
mermaid: mermaid
wolf: wolf, wolves, lobo, loup, lupo, волк, 狼, 늑대, भेड़िया, ذئب
snake: snake, serpent, serpiente, schlange, serpente, cobra, змея
butterfly: butterfly, butterflies, mariposa, papillon, schmetterling, farfalla, borboleta, бабочка
eagle: eagle, hawk, falcon
swan: swan, swans
water wave: wave, tsunami
""")
"""Words whose best picture the table of the model does not choose: by hand, checked against the outlines."""

SKY = re.compile(
    r"\b(moon|sun|star|stars|cloud|clouds|rainbow|comet|planet|meteor|glowing star|sparkles|eclipse|shooting)\b(?!flower)"
)
AIRBORNE = re.compile(
    r"balloon|airplane|helicopter|rocket|flying|saucer|ufo|kite|parachute|butterfly|\bbee\b|honeybee|bird|eagle|dove|bat$|dragonfly|"
    r"satellite|drone|superhero|fairy|angel|airship|feather|mosquito|\bfly\b|snowflake|firework|bubble|leaf flutter|seagull|phoenix"
)
AQUATIC = re.compile(
    r"whale|fish|dolphin|octopus|shark|squid|jellyfish|\bboat|sailboat|ship$|ferry|submarine|seal|crab|lobster|shrimp|"
    r"canoe|anchor|coral|water wave|turtle|swan|kayak|sail boat"
)
BELOW_WATER = re.compile(r"whale|fish|dolphin|octopus|shark|squid|jellyfish|submarine|coral|shrimp|lobster")
HABITATS = (
    (re.compile(r"camel|cactus|scorpion|pyramid|lizard|snake"), "dunes"),
    (re.compile(r"planet|rocket|astronaut|saucer|ufo|satellite|alien|comet|telescope|space"), "space"),
    (re.compile(r"\bcar\b|car |automobile|taxi|bus|traffic|motor|scooter|truck|bicycle|tram|metro|saxophone|robot"), "city"),
    (re.compile(r"lighthouse|anchor|penguin|palm|beach|island"), "sea"),
    (re.compile(r"wolf|mountain|goat|eagle|castle|train|locomotive|dragon|t rex|sauropod|volcano|llama|bear"), "mountains"),
    (re.compile(r"fox|owl|deer|mushroom|hedgehog|squirrel|badger|raccoon|tree|leaf|witch|unicorn|boar|chipmunk"), "forest"),
    (re.compile(r"cow|horse|sheep|ram|rabbit|butterfly|flower|tulip|rose|bee|snail|ladybug|tractor|pig|rooster|duck|cat|dog"), "meadow"),
)
CONTAINERS = re.compile(r"box|bowl|cup|basket|nest|bathtub|boat|pot\b|glass|bucket|bag|cage|car\b|automobile|bed|shoe|hat|tub|beverage")
CANOPIES = re.compile(r"umbrella|tree|rainbow|bridge|balloon|saucer|cloud|moon|sun|star|mushroom|tent|beach")

SIZES = (
    (3.2, "mountain|volcano|lighthouse|castle|cathedral|tower|skyscraper|ferris|statue|stadium|temple|church|mosque"),
    (2.3, "whale|ship|ferry|t rex|sauropod|dragon|rocket|airballoon|house|tree|locomotive|train|airplane|windmill|bridge|barn|sail boat"),
    (1.6, "elephant|giraffe|mammoth|helicopter|bus|truck|tractor|car|automobile|sailboat|saucer|camel|palm|cactus|piano|keyboard|hippo|rhino|submarine"),
    (1.25, "horse|bear|lion|tiger|cow|ox|gorilla|robot|person|man|woman|astronaut|knight|wizard|door|bicycle|motor|shark|dolphin|deer|moose|zebra"),
    (0.8, "cat|dog|fox|wolf|rabbit|penguin|owl|duck|swan|goat|sheep|pig|monkey|octopus|guitar|violin|umbrella|balloon|skull|chair|turtle|fish"),
    (0.6, "butterfly|bee|bird|snail|flower|rose|tulip|mouse|frog|hat|book|cup|beverage|key|heart|ladybug|leaf|mushroom|spider|ant|apple|pizza|candle"),
)  # fmt: skip
_SIZES = tuple((size, re.compile(rf"\b(?:{names})")) for size, names in SIZES)

NATURAL = tuple(
    (re.compile(rf"\b(?:{names})"), colour)
    for names, colour in (
        ("fox|tiger|orange|carrot|pumpkin|jack|basketball|goldfish|tropical fish", "orange"),
        ("fire|strawberry|cherry|cherries|apple|tomato|ladybug|lobster|crab|heart|rose|fire engine|octopus|ant|santa|drop of blood", "red"),
        ("lion|giraffe|camel|sun|star|bee|honeybee|banana|cheese|lemon|duck|chick|trumpet|saxophone|sunflower|crown|taxi|bell|school", "yellow"),
        ("frog|crocodile|t rex|sauropod|dragon|cactus|tree|evergreen|turtle|snake|lizard|leaf|herb|clover|caterpillar|broccoli|cucumber|alien|tractor|beetle", "green"),
        ("whale|dolphin|water|droplet|fish|shark|butterfly|jeans|blue|gem|submarine|penguin|peacock", "blue"),
        ("grapes|eggplant|squid|unicorn|crystal|wizard|mage|jellyfish|alien monster", "purple"),
        ("pig|flamingo|cherry blossom|doughnut|brain|tulip|hibiscus|flower|ballet|bow|cupcake|axolotl", "pink"),
        ("elephant|wolf|mouse|koala|hippo|rhino|robot|raccoon|locomotive|train|castle|hammer|key|moai|mammoth|helicopter", "grey"),
        ("horse|bear|dog|deer|monkey|violin|guitar|coffee|beverage|cow|owl|brown|chestnut|bread|squirrel|hedgehog|wood|snail|kangaroo|camel|barrel|beaver|teddy", "brown"),
        ("rabbit|swan|ghost|skull|polar|snowman|sheep|goat|dove|unicorn|cloud|tooth|sailboat|tea|egg|milk|lighthouse|bone|llama", "white"),
        ("cat|bat|spider|crow|raven|musical keyboard|piano|top hat|headphones|black|gorilla|bomb|panda|zebra", "charcoal"),
    )
)  # fmt: skip
"""Colours that things have where nobody says otherwise."""


def size_of(name: str) -> float:
    """How large a thing is beside others, 1 for a person: compressed, so that a butterfly beside a whale is still seen.

    >>> size_of("elephant") > size_of("cat") > size_of("butterfly")
    True
    """
    return next((size for size, names in _SIZES if names.search(name)), 1.0)


def colour_of(name: str) -> str | None:
    """The colour that a thing has by nature, None where it may have any."""
    return next((colour for names, colour in NATURAL if names.search(name)), None)


def habitat_of(name: str) -> str | None:
    """The ground on which a thing stands by nature, None where it stands anywhere."""
    if AQUATIC.search(name):
        return "sea"
    return next((ground for names, ground in HABITATS if names.search(name)), None)

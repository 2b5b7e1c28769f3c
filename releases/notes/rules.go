package notes

import (
	"regexp"
	"strings"
)

// The rules are tuned on the words that real notes use; the forms and the false
// alarms they were tuned on are the tables of the tests. Go's expressions have no
// look-around, so negation is looked for in a short slice to the left of a match.

// rule is one way to say that a line matters.
type rule struct {
	level   Level
	needs   []string // lower case; a text with none of them cannot match, and most have none
	pattern *regexp.Regexp
	anchor  bool // tried at the start of every line, not anywhere in a paragraph
	bullet  bool // tried at the start of a bullet only
	code    bool // sees inline code as well: names of variables and files
	final   bool // negation and fixes are not looked for
}

// words splits "a|b" into the words a text must have one of.
func words(s string) []string { return strings.Split(s, "|") }

var (
	// A line that says nothing but "Breaking changes".
	pureLabel = regexp.MustCompile(`(?i)^\W*(?:api[- ])?breaking(?:[- ]api)?(?:[- ]changes?)?\W*$`)
	// "Breaking:", "[BREAKING] …", "Breaking for anything that …".
	breakingLabel = regexp.MustCompile(`(?i)^\W*breaking(?:[- ]api)?(?:[- ]changes?)?(?:\s*(?:[:\])(]|[–—-]\s|$)|\s+(?:of|the|for)\s)`)
	breakingNoun  = regexp.MustCompile(`(?i)\bbreaking[- ](?:[a-z-]+ ){0,2}(?:changes?|updates?|modifications?)\b`)
	breakingWord  = regexp.MustCompile(`\bBREAKING\b`)
	breakingMark  = regexp.MustCompile(`(?i)[\[(]breaking(?:[- ]api)?(?:[- ]changes?)?[\])]`)
	incompatible  = regexp.MustCompile(`(?i)\bbackwards?[- ]incompatib|\bnot backwards?[- ]compatible|\bincompatible (?:[a-z]+ )?changes?\b`)
	convCommit    = regexp.MustCompile(`^(?:[0-9a-f]{7,40}:? )?[A-Za-z][\w-]*(?:\([^()]*\))?!:(?:\s|$)`)

	variable = regexp.MustCompile(`\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b`)
	emoji    = regexp.MustCompile(`[\x{26A0}\x{1F4A5}\x{1F6A8}\x{2757}]|:(?:warning|boom|rotating_light|exclamation|heavy_exclamation_mark):`)
	alert    = regexp.MustCompile(`(?i)^\s*(?:>\s*)*(?:\[!(?:warning|caution|important)\]|:::\s*(?:warning|danger|caution)|!!!\s*(?:warning|danger))`)

	attentionHeading = regexp.MustCompile(`(?i)\b(?:upgrad(?:e|ing)|updat(?:e|ing)|migrat(?:ion|ing))[ -](?:notes?|guides?|instructions?|steps?|overview|path|info(?:rmation)?)\b` +
		`|^\W*(?:important|warning|caution|attention|danger)\b|\baction required\b|\bmanual (?:steps?|actions?|intervention|migration)\b` +
		`|\bbefore (?:you )?(?:upgrad|updat)|\bcritical changes\b|\bdeprecations? and removals?\b` +
		`|\bvariables? (?:removed|added|renamed|changed)\b|\b(?:removed|added|new|renamed|changed) (?:environment )?variables?\b` +
		`|^\W*(?:upgrad(?:e|ing)|migrat(?:ion|ing))(?:\W*$| (?:to|from)\b)`)
	noticeHeading = regexp.MustCompile(`(?i)^\W*(?:removed|removals?|dropped|deprecated|deprecations?)\W*$`)
)

const component = `(?:postgres(?:ql)?|mysql|mariadb|redis|valkey|mongo(?:db)?|elasticsearch|opensearch|clickhouse|sqlite|php|node(?:\.?js)?|python|java|ruby|docker(?: engine| compose)?|compose|openssl)`

var (
	pureWord        = regexp.MustCompile(`(?i)^\W*breaking(?: changes?)?!?:?\s*$`)
	noWayBack       = regexp.MustCompile(`(?i)\bno (?:way (?:to|of) )?(?:roll(?:ing)?[- ]?back|downgrad\w*)\b|\b(?:cannot|can't|can not|(?:not|never) (?:be )?possible to|impossible to|unable to|not be able to) (?:be )?(?:downgrad\w+|roll(?:ed)?[- ]?back)\b`)
	backUnsupported = regexp.MustCompile(`(?i)\b(?:downgrad\w+|roll(?:ing)?[- ]?back|going back|reverting)\b(?:[^.;:!?]|[.:][0-9]){0,40}\b(?:not (?:be )?(?:possible|supported)|impossible|unsupported|isn't (?:possible|supported))`)
	oneWay          = regexp.MustCompile(`(?i)\b(?:migration|upgrade|update|step|operation|change)s?\b(?:[^.;:!?]|[.:][0-9]){0,30}\b(?:cannot be (?:undone|reverted)|(?:is|are) (?:irreversible|one-way))|\b(?:irreversible|one-way) (?:\w+ )?(?:migration|upgrade|update|step|operation|change)s?\b`)
	dataLost        = regexp.MustCompile(`(?i)\b(?:will|must|need to|have to|going to)\b(?:[^.;:!?]|[.:][0-9]){0,20}\b(?:erase|wipe|lose|delete|drop)\b (?:all )?(?:of )?(?:your|the whole|the entire|all) (?:existing )?(?:data|database|volume)`)
	withdrawn       = regexp.MustCompile(`\bYANKED\b|(?i:\b(?:was|has been|is) (?:yanked|withdrawn|retracted)\b)`)
	useAnother      = regexp.MustCompile(`(?i)\bdo not (?:use|install|upgrade to|update to|deploy) this (?:release|version)|\bplease (?:upgrade|update) to v?[0-9][\w.-]* instead`)
	doNotUse        = regexp.MustCompile(`(?i)^\W*(?:danger\W+)?do not use\W*$`)
	youMust         = regexp.MustCompile(`(?i)\byou(?:'ll| will)? (?:must|need to|have to|should|will need to|will have to)(?: \w+){0,2} (?:update|upgrade|change|set|add|remove|rename|migrate|run|re-?run|edit|adjust|replace|delete|re-?create|re-?index|re-?build|re-?generate|re-?configure|configure|move|back ?up|install|switch|enable|disable|convert|export)\b`)
	beforeUpgrade   = regexp.MustCompile(`(?i)\b(?:before|prior to|when|after) (?:you )?(?:upgrading|updating|upgrade|update)\b`)
	actionNeeded    = regexp.MustCompile(`(?i)\b(?:action|manual (?:steps?|actions?|intervention|migration|work))(?: (?:is|are))? (?:required|needed|necessary)\b|\brequires? (?:a )?manual\b|\baction required\b`)
	backupFirst     = regexp.MustCompile(`(?i)\b(?:back ?up|take a backup|make a backup|create a backup)\b(?:[^.;:!?]|[.:][0-9]){0,40}\b(?:first|before|your (?:data|database|db|instance|volumes?))\b`)
	dataMigration   = regexp.MustCompile(`(?i)\bdata migration\b|\berase (?:all )?(?:of )?your (?:data|database)\b|\binvalidat\w+ (?:all )?(?:existing )?(?:sessions|tokens|logins)`)
	upgradeDoc      = regexp.MustCompile(`(?i)\b(?:upgrad(?:e|ing)|updat(?:e|ing)|migrat(?:ion|ing))[ -](?:guide|notes?|instructions?|documentation|docs)\b|\b(?:UPGRAD|MIGRAT|BREAKING)[A-Z]*[\w.-]*\.(?:md|rst|txt)\b`)
	upgradeLink     = regexp.MustCompile(`(?i)(?:\]\((?:[^)\s]*[/#_-])?|https?://[^)\s]*[/#_-])(?:upgrad(?:e|ing)|migrat(?:ion|ing)|migrate-(?:to|from)|breaking)[\w-]*(?:[/#.)?\s]|$)`)
	variableMoved   = regexp.MustCompile(`\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b.{0,80}\b(?i:renamed|removed|no longer|replaced|dropped|now required|is required|must be set|mandatory)\b|\b(?i:renamed?|removed?|replaced?|dropp?e?d?|requires?|rename) .{0,40}\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b`)
	minimumVersion  = regexp.MustCompile(`(?i)\b(?:requires?|required|minimum|at least|needs|drop(?:s|ped)? support for|no longer supports?|upgrades? the (?:major )?)\b(?:[^.;:!?]|[.:][0-9]){0,40}\b` + component + `\b(?:[^.;:!?]|[.:][0-9]){0,20}[0-9]|\b` + component + `\b(?: version)? v?[0-9][0-9.]* (?:or (?:newer|later|higher|above)|is (?:now )?(?:the minimum|required))`)
	deprecation     = regexp.MustCompile(`(?i)\bdeprecat\w+|\bwill be (?:removed|dropped) in\b`)
	removal         = regexp.MustCompile(`(?i)^\W*(?:remov(?:e|ed|es)|drop(?:ped|s)?)\b`)
	defaultMoved    = regexp.MustCompile(`(?i)\bbase image\b|\bdefault (?:[a-z]+ )?(?:has |have |was |is now |now )?chang\w+|\bchang\w+ the default\b`)
	placeMoved      = regexp.MustCompile(`(?i)\b(?:port|path|volume|uid|gid|user id|mount(?: point)?|location)s?\b(?:[^.;:!?]|[.:][0-9]){0,20}\b(?:has |have |was |were )?(?:changed|moved|renamed)\b`)
)

// lineRules lists the rules, in no order: the heaviest that holds counts.
func lineRules() []rule {
	return []rule{
		{level: Breaking, needs: words("breaking"), pattern: breakingLabel, anchor: true},
		{level: Breaking, needs: words("!:"), pattern: convCommit, anchor: true, code: true, final: true},
		{level: Breaking, needs: words("breaking"), pattern: pureWord, anchor: true},
		{level: Breaking, needs: words("breaking"), pattern: breakingMark},
		{level: Breaking, needs: words("breaking"), pattern: breakingNoun},
		{level: Breaking, needs: words("breaking"), pattern: breakingWord},
		{level: Breaking, needs: words("compatib"), pattern: incompatible},

		{level: Irreversible, needs: words("roll|downgrad"), pattern: noWayBack, final: true},
		{level: Irreversible, needs: words("downgrad|roll|going back|reverting"), pattern: backUnsupported},
		{level: Irreversible, needs: words("irreversibl|one-way|undone|reverted"), pattern: oneWay},
		{level: Irreversible, needs: words("erase|wipe|lose|delete|drop"), pattern: dataLost},

		{level: Blocker, needs: words("yanked|withdrawn|retracted"), pattern: withdrawn},
		{level: Blocker, needs: words("do not|instead"), pattern: useAnother, final: true},
		{level: Blocker, needs: words("do not use"), pattern: doNotUse, anchor: true, final: true},

		{level: Attention, needs: words("you"), pattern: youMust},
		{level: Attention, needs: words("upgrad|updat"), pattern: beforeUpgrade},
		{level: Attention, needs: words("action|manual"), pattern: actionNeeded},
		{level: Attention, needs: words("back"), pattern: backupFirst},
		{level: Attention, needs: words("data migration|erase|invalidat"), pattern: dataMigration},
		{level: Attention, needs: words("guide|note|instruction|doc|.md|.rst|.txt"), code: true, pattern: upgradeDoc},
		{level: Attention, needs: words("upgrad|migrat|breaking"), code: true, final: true, pattern: upgradeLink},
		{level: Attention, needs: words("_"), code: true, pattern: variableMoved},
		{level: Attention, needs: words("postgres|mysql|mariadb|redis|valkey|mongo|elasticsearch|opensearch|clickhouse|sqlite|php|node|python|java|ruby|docker|compose|openssl"), pattern: minimumVersion},

		{level: Notice, needs: words("deprecat|will be"), pattern: deprecation},
		{level: Notice, needs: words("remov|drop"), pattern: removal, bullet: true},
		{level: Notice, needs: words("base image|chang"), pattern: defaultMoved},
		{level: Notice, needs: words("changed|moved|renamed"), pattern: placeMoved},
	}
}

var (
	// A tight window: a careless one swallows "This release is/includes a breaking change".
	negator  = regexp.MustCompile(`(?i)\b(?:no|not|non|without|zero|never|avoid\w*|prevent\w*|due to|add a)\b|n['’]t\b`)
	repairs  = regexp.MustCompile(`(?i)\b(?:fix\w*|resolv\w*|handl\w*|revert\w*)\b`)
	compound = regexp.MustCompile(`(?i)(?:\b(?:line|word|page|tie|ground|record|path)[-/ ])$`)
	coming   = regexp.MustCompile(`(?i)\b(?:future|upcoming|planned|next (?:major |minor )?(?:version|release)s?)\b`)
	comes    = regexp.MustCompile(`(?i)^s?[^.;:!?]{0,12}?\b(?:next|future|upcoming|coming) (?:major |minor )?(?:version|release)s?\b`)
	about    = regexp.MustCompile(`(?i)^(?:s)? (?:note|label|section|description|template|checklist|documentation|detect\w*|check)\b`)
	docsOnly = regexp.MustCompile(`(?i)^\W*docs(?:\([^)]*\))?:`)
	isFix    = regexp.MustCompile(`(?i)^\W*(?:bug ?)?fix(?:e[sd])?\b`)
	claim    = regexp.MustCompile(`(?i)^\W*(?:none|n/?a|nil|nothing(?: [a-z ]{0,40})?|(?:(?:there (?:are|were)|we have|this (?:release|version) (?:has|contains|includes)) )?(?:no|not any) (?:known )?(?:breaking|backwards?[- ]incompatible|incompatible)(?:[^.;:!?]|[.:][0-9]){0,40}|no changes)\W*$`)
)

// verdict is what the words around a match make of it.
type verdict int

const (
	stands verdict = iota
	denied         // "no breaking changes", "fix …"
	later          // announced for another release
)

// weigh looks around the match text[from:to].
func weigh(text string, from, to int) verdict {
	left, right := window(text[:from]), text[to:]
	if coming.MatchString(left) || coming.MatchString(text[from:to]) || comes.MatchString(right) {
		return later
	}
	if compound.MatchString(text[max(0, from-10):from]) || negator.MatchString(strings.ReplaceAll(strings.ToLower(left), "no longer", "")) {
		return denied
	}
	if i := strings.LastIndexByte(left, ','); repairs.MatchString(left[i+1:]) {
		return denied
	}
	if from > 0 && about.MatchString(right) || docsOnly.MatchString(text) {
		return denied
	}
	return stands
}

// window is what negates a match: at most 28 bytes to its left, within its
// sentence, after the last "but", inside its own bracket.
func window(left string) string {
	left = left[max(0, len(left)-28):]
	if i := strings.LastIndexAny(left, ".;:!?"); i >= 0 {
		left = left[i+1:]
	}
	if i := strings.LastIndex(left, " but "); i >= 0 {
		left = left[i:]
	}
	if i := strings.LastIndexAny(left, "([)]"); i >= 0 && (left[i] == '(' || left[i] == '[') {
		left = left[i+1:]
	}
	return left
}

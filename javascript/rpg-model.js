// The draft of a plan, every operation on it, and undo. No part of the page is touched: the editor shows what stands here.
// A draft has the shape of Plan.to_dict() but may be unfinished. Drafts are never changed in place, so history only keeps them.

/** Steps that can be undone. */
const rpgSteps = 200;
/** How far aside a duplicate lies. */
const rpgAside = 0.04;

class RpgModel {
    /**
     * @param defaults the draft that stands for "nothing planned yet"
     * @param settings the fields that no planner decides; unset, they follow the model
     */
    constructor(defaults, settings) {
        this.defaults = defaults;
        this.settings = settings;
        this.draft = defaults;
        this.planner = null; // settings of the planner that Generate asks; the regions are kept aside meanwhile
        this.selected = -1;
        this.past = [];
        this.future = [];
        this.run = null;
    }

    get regions() {
        return this.draft.regions;
    }

    /** The rows of the split ratio; null when it cannot be read. */
    get rows() {
        return rpgParseRatio(String(this.draft.split_ratio));
    }

    get places() {
        return rpgPlaces(this.draft);
    }

    /** What the plan's textbox holds: "" while nothing is planned. */
    get json() {
        const {version} = this.defaults;
        if (this.planner) return JSON.stringify({version, planner: this.planner, ...rpgPick(this.draft, this.settings)});
        const json = JSON.stringify(this.draft);
        return json === JSON.stringify(this.defaults) || !this.regions.length ? "" : json;
    }

    // History

    get moment() {
        return {draft: this.draft, planner: this.planner, selected: this.selected};
    }

    /** Begin a step that can be undone. Changes with the same `run`, one after another, are one step. */
    step(run = null) {
        if (run === null || run !== this.run) this.past = [...this.past, this.moment].slice(-rpgSteps);
        this.run = run;
        this.future = [];
    }

    /** What comes next is a step of its own. */
    endRun() {
        this.run = null;
    }

    undo() {
        this.travel(this.past, this.future);
    }

    redo() {
        this.travel(this.future, this.past);
    }

    travel(from, to) {
        this.endRun();
        if (!from.length) return;
        to.push(this.moment);
        Object.assign(this, from.pop());
    }

    /** As if the step that was begun last had not been. */
    cancel() {
        this.endRun();
        if (this.past.length) Object.assign(this, this.past.pop());
    }

    change(fields, run) {
        this.step(run);
        this.draft = {...this.draft, ...fields};
    }

    changeRegion(index, fields, run) {
        this.change({regions: this.regions.map((region, place) => (place === index ? {...region, ...fields} : region))}, run);
    }

    /** Rows and regions together; without rows there is no split ratio. */
    reshape(rows, regions, selected, run) {
        this.change({split_ratio: rows.length ? rpgFormatRatio(rows) : "", regions}, run);
        this.selected = selected;
    }

    // The whole draft

    /** Take over a plan's JSON; what cannot be read stands for nothing planned. Python's message says why. */
    load(json) {
        let data = null;
        try {
            data = JSON.parse(json);
        } catch {
            // not JSON
        }
        const planner = data?.planner ?? null;
        const draft = planner
            ? {...this.draft, ...rpgPick(data, this.settings)}
            : rpgReadDraft(data, this.defaults, this.settings) ?? this.defaults;
        const same = [planner, draft].every((value, index) => JSON.stringify(value) === JSON.stringify([this.planner, this.draft][index]));
        if (same) return; // the page may hand us what we wrote once more
        this.step();
        this.planner = planner;
        this.draft = draft;
        if (!planner) this.selected = -1;
    }

    /** An empty text is left out, as Plan.to_dict() does. */
    setField(name, value) {
        this.change({[name]: value === "" && name !== "base_ratio" ? undefined : value}, name);
    }

    /** An empty optional field means the same as the whole picture and is left out. */
    setRegionField(index, name, value) {
        this.changeRegion(index, {[name]: value === "" && name !== "prompt" ? undefined : value}, `${name} ${index}`);
    }

    /** The table follows the split ratio, but a region with text in it is never dropped. */
    setRatio(text) {
        const rows = text.trim() === "" ? [] : rpgParseRatio(text);
        const regions = [...this.regions];
        const cells = () => regions.filter(({area}) => area === undefined).length;
        const end = () => regions.findLastIndex(({area}) => area === undefined);
        while (rows && cells() < rpgCountCells(rows)) regions.splice(end() + 1, 0, {prompt: ""});
        while (rows && cells() > rpgCountCells(rows) && rpgIsEmptyRegion(regions[end()])) regions.splice(end(), 1);
        this.change({split_ratio: text, regions}, "split_ratio");
        this.selected = Math.min(this.selected, regions.length - 1);
    }

    // Regions

    /** The region that fills a cell, or -1. */
    regionOfCell(cell) {
        return this.places.findIndex((place) => place.cell === cell);
    }

    /** Whether cells and the regions without an area are equally many, so that both can change together. */
    get matches() {
        const listed = this.regions.filter(({area}) => area === undefined).length;
        return listed === (this.draft.split_ratio === "" ? 0 : this.rows ? rpgCountCells(this.rows) : -1);
    }

    get isFull() {
        return this.regions.length >= rpgLimits.regions;
    }

    isLocked(index) {
        return Boolean(this.regions[index]?.[rpgMarks]?.locked);
    }

    isHidden(index) {
        return Boolean(this.regions[index]?.[rpgMarks]?.hidden);
    }

    nameOf(index) {
        return this.regions[index]?.[rpgMarks]?.name ?? "";
    }

    mark(index, fields) {
        const marks = {...this.regions[index][rpgMarks], ...fields};
        this.changeRegion(index, {[rpgMarks]: marks}, "name" in fields ? `name ${index}` : null);
    }

    /** One more region: a cell after the others. */
    addRegion() {
        if (this.isFull) return;
        const last = this.regions.findLastIndex(({area}) => area === undefined);
        const regions = [...this.regions];
        regions.splice(last + 1, 0, {prompt: ""});
        if (this.matches) this.reshape(this.rows ? rpgAddCell(this.rows) : [{height: "1", widths: ["1"]}], regions, last + 1);
        else this.change({regions});
        this.selected = last + 1;
    }

    deleteRegion(index) {
        const {kind, cell} = this.places[index];
        const regions = this.regions.filter((_, place) => place !== index);
        const selected = Math.min(index, regions.length - 1);
        if (kind === "cell" && this.matches) this.reshape(rpgRemoveCell(this.rows, cell), regions, selected);
        else this.change({regions});
        this.selected = selected;
    }

    /** Another place in the order: later regions lie on top, and cells are filled in order. */
    moveRegion(from, to, run) {
        const regions = [...this.regions];
        const [region] = regions.splice(from, 1);
        regions.splice(to, 0, region);
        this.change({regions}, run);
        this.selected = to;
    }

    // Cells

    moveBorder(border, at, snap, run) {
        const rows = rpgMoveBorder(this.rows, border, at, snap);
        if (rpgParseRatio(rpgFormatRatio(rows))) this.reshape(rows, this.regions, this.selected, run);
    }

    canSplit(index, axis) {
        const {kind, cell} = this.places[index] ?? {};
        return kind === "cell" && this.matches && !this.isFull && (axis === "x" || rpgIsWholeRow(this.rows, cell));
    }

    /** Cut a cell in two; the new region, without text, is the second half. */
    splitRegion(index, axis) {
        if (!this.canSplit(index, axis)) return;
        const regions = [...this.regions];
        regions.splice(index + 1, 0, {prompt: ""});
        this.reshape(rpgSplitCell(this.rows, this.places[index].cell, axis), regions, index + 1);
    }

    /** The two regions that Join makes one, or null. */
    joinable(index) {
        const {kind, cell} = this.places[index] ?? {};
        if (kind !== "cell" || !this.matches) return null;
        const first = rpgJoinable(this.rows, cell);
        return first < 0 ? null : [this.regionOfCell(first), this.regionOfCell(first + 1)];
    }

    /** Make two neighbouring cells one that says what both said. */
    joinRegion(index) {
        const pair = this.joinable(index);
        if (!pair) return;
        const [first, second] = pair.map((place) => this.regions[place]);
        const joined = {...second, ...first, prompt: rpgJoinTexts(first.prompt, second.prompt)};
        const negative = rpgJoinTexts(first.negative_prompt, second.negative_prompt);
        if (negative) joined.negative_prompt = negative;
        const regions = this.regions.map((region, place) => (place === pair[0] ? joined : region));
        const rows = rpgJoinCells(this.rows, this.places[pair[0]].cell);
        this.reshape(rows, regions.filter((_, place) => place !== pair[1]), pair[0] - (pair[1] < pair[0] ? 1 : 0));
    }

    // Areas

    /** One more region with an area of its own, on top of the others. */
    addArea(area, run) {
        if (this.isFull) return;
        this.change({regions: [...this.regions, {prompt: "", area}]}, run);
        this.selected = this.regions.length - 1;
    }

    /** Another {box} or {mask} for a region; how soft its edge is stays. */
    setArea(index, place, run) {
        const {feather} = this.regions[index].area ?? {};
        this.changeRegion(index, {area: {...place, feather}}, run);
    }

    setFeather(index, feather) {
        this.changeRegion(index, {area: {...this.regions[index].area, feather: feather || undefined}}, `feather ${index}`);
    }

    moveBox(index, box, dx, dy, snap, run) {
        this.setArea(index, {box: rpgMoveBox(box, dx, dy, snap)}, run);
    }

    /** The same once more, a little aside, right above it; a copy of a cell is a box on top of all. */
    duplicateRegion(index) {
        const {kind, box} = this.places[index];
        if (this.isFull || kind === "none") return;
        const {area, ...texts} = this.regions[index];
        const place = kind === "mask" ? area : {...area, box: rpgMoveBox(box, rpgAside, rpgAside)};
        const at = kind === "cell" ? this.regions.length : index + 1;
        this.change({regions: [...this.regions.slice(0, at), {...texts, area: place}, ...this.regions.slice(at)]});
        this.selected = at;
    }
}

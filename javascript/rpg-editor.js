// The editor of one plan: a draft, and what can be done to it. A draft has the shape of Plan.to_dict() but may be unfinished.
// RpgView shows it.

/** A number where the text is one; otherwise the text itself, so that Python can name it in its error. */
function rpgNumberOrText(text) {
    return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function rpgIsEmptyRegion(region) {
    return Object.values(region).every((value) => String(value).trim() === "");
}

/** A draft out of anything that JSON can hold, or null; what it says is kept as it is, `settings` that it lacks are unset. */
function rpgReadDraft(data, defaults, settings) {
    if (data === null || typeof data !== "object" || Array.isArray(data)) return null;
    const listed = typeof data.regions === "string" ? data.regions.split(/\s*\bBREAK\b\s*/) : data.regions;
    if (!Array.isArray(listed) || !listed.length) return null;
    const regions = listed.map((item) => (item !== null && typeof item === "object" ? item : {prompt: String(item)}));
    const former = data.version === 1 ? {latent_ratio: data.latent_ratio ?? 0, version: defaults.version} : {};
    return {...defaults, ...rpgPick({}, settings), split_ratio: regions.map(() => "1").join(","), ...data, ...former, regions};
}

/** The fields of `data` that have a name in `names`, undefined where it lacks one. */
function rpgPick(data, names) {
    return Object.fromEntries(Object.keys(names).map((name) => [name, data[name]]));
}

class RpgEditor {
    /**
     * @param root the element to fill
     * @param defaults the draft that stands for "nothing planned yet"
     * @param settings the fields that no planner decides; unset, they follow the model
     * @param write called with the JSON of each finished edit
     */
    constructor(root, defaults, settings, write) {
        this.defaults = defaults;
        this.settings = settings;
        this.draft = structuredClone(defaults);
        this.planner = null; // settings of the planner that Generate asks; the regions are kept aside meanwhile
        this.write = write;
        this.written = "";
        this.history = [];
        this.view = new RpgView(root, this);
        this.view.render();
    }

    /** What the hidden textbox holds: "" while nothing is planned. */
    get json() {
        if (this.planner) return JSON.stringify({version: this.defaults.version, planner: this.planner, ...rpgPick(this.draft, this.settings)});
        const json = JSON.stringify(this.draft);
        return json === JSON.stringify(this.defaults) ? "" : json;
    }

    /** Show what someone else put into the hidden textbox; what stood here before can be brought back. */
    load(json) {
        if (json === this.written) return;
        this.remember();
        this.show(json);
        this.written = json;
    }

    show(json) {
        clearTimeout(this.timer);
        let data = null;
        try {
            data = JSON.parse(json);
        } catch {
            // Not JSON: Python's message says so; the editor starts afresh.
        }
        this.planner = data?.planner ?? null;
        if (this.planner) Object.assign(this.draft, rpgPick(data, this.settings));
        else this.draft = rpgReadDraft(data, this.defaults, this.settings) ?? structuredClone(this.defaults);
        this.view.render();
    }

    remember() {
        this.history = [...this.history.slice(-19), this.json];
    }

    undo() {
        if (!this.history.length) return;
        this.show(this.history.pop());
        this.flush();
    }

    clear() {
        this.remember();
        this.show("");
        this.flush();
    }

    /** Leave the planning to Generate (`planner`: its settings), or go back to the regions (null). */
    setPlanner(planner) {
        this.planner = planner;
        this.flush();
    }

    /** Draw at once, write when the typing pauses. */
    edited() {
        this.view.draw();
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.flush(), 100);
    }

    flush() {
        clearTimeout(this.timer);
        this.view.render();
        if (this.json === this.written) return;
        this.written = this.json;
        this.write(this.written);
    }

    /** An empty text is left out, as Plan.to_dict() does. */
    setField(name, value) {
        if (value === "" && name !== "base_ratio") delete this.draft[name];
        else this.draft[name] = value;
        this.edited();
    }

    /** An empty optional field means the same as the whole picture and is left out. */
    setRegionField(index, name, value) {
        if (value === "" && name !== "prompt") delete this.draft.regions[index][name];
        else this.draft.regions[index][name] = value;
        this.edited();
    }

    /** The table follows the split ratio, but a region with text in it is never dropped. */
    setRatio(text) {
        this.draft.split_ratio = text;
        const rows = rpgParseRatio(text);
        const regions = this.draft.regions;
        while (rows && regions.length < rpgCountCells(rows)) regions.push({prompt: ""});
        while (rows && regions.length > rpgCountCells(rows) && rpgIsEmptyRegion(regions[regions.length - 1])) regions.pop();
        this.view.render();
        this.edited();
    }

    /** Change the split ratio together with the table, if the two agree on the number of regions. */
    reshape(change) {
        const rows = rpgParseRatio(String(this.draft.split_ratio));
        if (rows && rpgCountCells(rows) === this.draft.regions.length) this.draft.split_ratio = rpgFormatRatio(change(rows));
    }

    addRegion() {
        this.reshape(rpgAddCell);
        this.draft.regions.push({prompt: ""});
        this.flush();
        this.view.focusPrompt(this.draft.regions.length - 1);
    }

    deleteRegion(index) {
        this.reshape((rows) => rpgRemoveCell(rows, index));
        this.draft.regions.splice(index, 1);
        this.flush();
        this.view.focusPrompt(Math.min(index, this.draft.regions.length - 1));
    }

    /** Exchange the texts of two neighbours; the layout stays. */
    moveRegion(index, step) {
        const regions = this.draft.regions;
        [regions[index], regions[index + step]] = [regions[index + step], regions[index]];
        this.flush();
        this.view.focusMove(index + step, step);
    }
}

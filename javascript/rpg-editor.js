// The editor of one plan: ties what is shown (RpgView) and done (RpgPointer, RpgKeys) to the draft (RpgModel).

class RpgEditor {
    /**
     * @param root the element to fill
     * @param defaults the draft that stands for "nothing planned yet"
     * @param settings the fields that no planner decides; unset, they follow the model
     * @param host what the page around gives: {tab, lora, backdrops: [[name, label], ...], write(json), size(), picture(name), plan(caption)}
     */
    constructor(root, defaults, settings, host) {
        this.host = host;
        this.model = new RpgModel(defaults, settings);
        this.written = "";
        this.size = "";
        this.tool = "select"; // or "box", "brush", "rubber"
        this.radius = 0.06; // of the brush, in shares of the picture's shorter side
        this.root = root;
        this.masks = new RpgMasks(() => this.view.draw());
        this.view = new RpgView(root, this);
        this.pointer = new RpgPointer(this, this.view.canvas);
        this.keys = new RpgKeys(this, root);
        this.view.render();
    }

    get tab() {
        return this.host.tab;
    }

    get backdrops() {
        return this.host.backdrops;
    }

    get planner() {
        return this.model.planner;
    }

    /** Show what someone else put into the hidden textbox; what stood here before can be brought back. */
    load(json) {
        if (json === this.written) return;
        clearTimeout(this.timer);
        this.model.load(json);
        this.view.render();
        this.written = json;
    }

    /** Leave the planning to Generate (`planner`: its settings), or go back to the regions (null). */
    setPlanner(planner) {
        this.model.planner = planner;
        this.flush();
    }

    /** A change by typing: draw at once, write when the typing pauses. */
    edit(change) {
        this.preview(change);
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.flush(), 100);
    }

    /** A change while a pointer is held: drawn, but not written before it is released. */
    preview(change) {
        change(this.model);
        const {rows} = this.view.table;
        if (rows.length === this.model.regions.length) this.view.draw();
        else this.view.render();
        this.view.renderFields();
    }

    /**
     * A change that is finished at once.
     * @param where "canvas" gives the selected region the focus there, "table" here if what had it is gone
     */
    act(change, where) {
        const {canvas, table} = this.view;
        const focused = this.root.contains(document.activeElement);
        this.model.endRun();
        change(this.model);
        this.flush();
        const {selected} = this.model;
        const lost = () => focused && !this.root.contains(document.activeElement);
        if (where === "canvas" && selected >= 0) canvas.focusRegion(selected);
        if (where === "table" && lost()) table.rows[selected]?.number.focus();
        if (lost()) canvas.element.focus({preventScroll: true}); // so that the next key is still ours; a hidden region takes none
        if (selected >= 0) table.reveal(selected);
    }

    select(index) {
        if (index === this.model.selected) return;
        this.model.endRun();
        this.model.selected = index;
        this.view.draw();
        if (index >= 0) this.view.table.reveal(index);
    }

    /** A tool again goes back to selecting. */
    setTool(tool) {
        this.tool = this.tool === tool ? "select" : tool;
        this.view.canvas.drawBrush(null);
        this.view.draw();
    }

    /** Make a new mask out of the selected one's canvas (or null, where it has none). */
    changeMask(change) {
        const {selected, places} = this.model;
        const {kind, box, mask} = places[selected] ?? {};
        const old = kind === "mask" ? this.masks.get(mask)?.canvas : null;
        if (kind === "mask" ? old : kind === "box") this.act((model) => model.setArea(selected, {mask: this.maskText(change(old, box))}));
    }

    maskText(canvas) {
        const text = rpgMaskText(canvas);
        this.masks.keep(text, canvas);
        return text;
    }

    newMask() {
        return rpgNewMask(this.view.canvas.size);
    }

    /** A mask back to its bounding box. */
    makeBox() {
        const {selected, places} = this.model;
        const box = this.masks.bounds(places[selected]?.mask);
        if (box) this.act((model) => model.setArea(selected, {box}));
    }

    flush() {
        clearTimeout(this.timer);
        this.view.render();
        const {json} = this.model;
        if (json === this.written || this.pointer.pressed) return;
        this.written = json;
        this.host.write(json);
    }

    /** "wide" and "page" make the picture as wide as the panel, or cover the page; again the same goes back. */
    setSize(size) {
        this.size = this.size === size ? "" : size;
        for (const name of ["wide", "page"]) this.root.classList.toggle(`rpg-${name}`, this.size === name);
        this.view.draw();
    }

    /** Sizes and pictures of the page around change without an event, so they are looked up now and then. */
    followPage() {
        this.view.canvas.setSize(this.host.size());
        const {backdrop, strength} = this.view.toolbar;
        this.view.canvas.setBackdrop(backdrop.value ? this.host.picture(backdrop.value) : "", strength.value);
        strength.hidden = !backdrop.value;
    }
}

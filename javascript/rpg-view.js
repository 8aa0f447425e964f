// What the user sees of an RpgEditor: fields, picture, table and buttons.

class RpgView {
    constructor(root, editor) {
        this.root = root;
        this.editor = editor;
        this.canvas = new RpgCanvas(editor);
        this.table = new RpgTable(editor);
        this.toolbar = new RpgToolbar(editor);
        this.start = new RpgStart(editor);
        this.build();
        root.addEventListener("focusout", () => editor.flush());
    }

    build() {
        const {editor, canvas, toolbar} = this;
        const field = (label, ...content) =>
            rpgElement("label", {className: "rpg-field"}, rpgElement("span", {textContent: label}), ...content);
        const edit = (name) => (text) => editor.edit((model) => model.setField(name, text));
        this.ratio = rpgInput("rpg-ratio", "Split ratio", (text) => editor.edit((model) => model.setRatio(text)));
        this.ratio.placeholder = rpgWords("1,1  or  1,1,1;2,1,1");
        this.basePrompt = rpgTextarea("rpg-base-prompt", "Base prompt", edit("base_prompt"));
        this.basePrompt.placeholder = rpgWords("Empty: the main prompt");
        this.commonPrompt = rpgTextarea("rpg-common-prompt", "Common prompt", edit("common_prompt"));
        this.commonPrompt.placeholder = rpgWords("Before every region");
        this.sliders = {
            base_ratio: this.buildShare("base_ratio", "Base ratio", "How much of the base prompt is mixed into every region"),
            latent_ratio: this.buildShare(
                "latent_ratio",
                "Latent ratio",
                "For how much of the steps, from the first, every region is painted by itself: puts each object into its region. Empty: what suits the model",
            ),
        };
        this.addButton = rpgButton("Add region", "Add a cell to the split ratio", () => {
            editor.act((model) => model.addRegion());
            this.table.focusPrompt(editor.model.selected);
        });
        this.clearButton = rpgButton("Clear", "Start again with two empty regions", () => editor.act((model) => model.load("")));
        const fields = {
            split_ratio: field("Split ratio", this.ratio),
            base_prompt: field("Base prompt", rpgGrowing(this.basePrompt)),
            common_prompt: field("Common prompt", rpgGrowing(this.commonPrompt)),
        };
        for (const [name, {label, box}] of Object.entries(this.sliders)) fields[name] = field(label, box);
        this.fields = rpgElement("div", {className: "rpg-fields"}, ...Object.values(fields));
        this.stage = rpgElement("div", {className: "rpg-stage"}, canvas.element);
        this.picture = rpgElement("div", {className: "rpg-picture"}, toolbar.element, this.stage, toolbar.strip);
        this.bar = rpgElement("div", {className: "rpg-bar"}, this.addButton, this.clearButton);
        this.side = rpgElement("div", {className: "rpg-side"}, this.fields, this.table.element);
        this.body = rpgElement("div", {className: "rpg-body"}, this.picture, this.side);
        const decided = Object.entries(fields).filter(([name]) => !(name in editor.model.settings));
        this.planned = [...decided.map(([, element]) => element), this.picture, this.table.element]; // what a planner decides
        this.notice = rpgElement("div", {className: "rpg-notice", textContent: "The regions are planned when you press Generate."});
        this.root.replaceChildren(this.start.element, this.notice, this.body, this.bar);
    }

    /** A number from 0 to 1, by slider or by keyboard. */
    buildShare(name, label, title) {
        const set = (value) => {
            this.editor.edit((model) => model.setField(name, value));
            this.renderFields();
        };
        const input = rpgInput(`rpg-${name.replace("_", "-")}`, label, (text) => set(rpgNumberOrText(text)));
        const slider = rpgSlider(title, [0, 1, 0.05], set);
        if (name in this.editor.model.settings) input.placeholder = rpgWords("auto");
        return {label, input, slider, box: rpgElement("div", {className: "rpg-slider-box"}, slider, input)};
    }

    /** Everything, texts too. */
    render() {
        const {model} = this.editor;
        this.table.render();
        this.renderFields();
        this.addButton.disabled = Boolean(model.planner) || model.isFull;
        for (const element of this.planned) element.inert = Boolean(model.planner);
        this.notice.hidden = !model.planner;
        this.draw();
    }

    renderFields() {
        const {draft} = this.editor.model;
        rpgSetText(this.ratio, draft.split_ratio);
        rpgSetText(this.basePrompt, draft.base_prompt);
        rpgSetText(this.commonPrompt, draft.common_prompt);
        for (const [name, {input, slider}] of Object.entries(this.sliders)) {
            const value = draft[name] ?? "";
            // "0." and "0.50" are on their way to a number: leave them to the user.
            if (rpgNumberOrText(input.value) !== value) rpgSetText(input, value);
            if (Number.isFinite(value) || value === "") slider.value = value || 0;
            slider.classList.toggle("rpg-auto", value === "");
        }
    }

    /** What depends on the regions' places and on the selection. */
    draw() {
        const {editor} = this;
        const {model} = editor;
        const places = model.places;
        const shares = rpgShares(places, (mask) => editor.masks.weights(mask));
        const warnings = rpgWarnings(model.draft, places, shares, this.canvas.size);
        const unread = !model.rows && String(model.draft.split_ratio).trim() !== "";
        this.ratio.classList.toggle("rpg-invalid", unread || (!model.rows && places.some(({kind}) => kind === "none")));
        this.canvas.draw({places, shares, warnings});
        this.table.draw({places, shares, warnings});
        this.toolbar.draw(places[model.selected]);
        this.start.draw();
    }
}

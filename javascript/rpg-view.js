// What the user sees of an RpgEditor. All texts in a plan are untrusted: textContent and value only, never markup.

function rpgElement(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
}

function rpgButton(text, title, onClick) {
    const button = rpgElement("button", {type: "button", className: "rpg-button", textContent: text, title, ariaLabel: title});
    button.addEventListener("click", onClick);
    return button;
}

function rpgInput(className, label, onEdit) {
    const input = rpgElement("input", {type: "text", className, ariaLabel: label, title: label, spellcheck: false});
    input.addEventListener("input", () => onEdit(input.value));
    return input;
}

/** A textarea as high as its text: style.css sizes it by the copy in data-rpg-text. */
function rpgTextarea(className, label, onEdit) {
    const area = rpgElement("textarea", {rows: 1, ariaLabel: label, title: label});
    area.addEventListener("input", () => {
        area.parentElement.dataset.rpgText = area.value;
        onEdit(area.value);
    });
    // In textareas below the host's class "prompt", its Ctrl+Up and Ctrl+Down weigh words.
    rpgElement("div", {className: `${className} rpg-grow prompt`}, area);
    return area;
}

/** Touches a field only when it says something else, so that the caret stays where the user is typing. */
function rpgSetText(field, value) {
    const text = String(value ?? "");
    if (field.value !== text) field.value = text;
    if (field.tagName === "TEXTAREA") field.parentElement.dataset.rpgText = text;
}

/** Neighbouring numbers get hues far apart (the golden angle). */
function rpgHue(index) {
    return `${Math.round(210 + index * 137.5) % 360}`;
}

class RpgView {
    constructor(root, editor) {
        this.editor = editor;
        this.rows = [];
        this.cells = [];
        this.aspect = 0;
        this.build(root);
        root.addEventListener("focusin", (event) => this.highlight(event.target));
        root.addEventListener("focusout", (event) => {
            this.highlight(event.relatedTarget);
            editor.flush();
        });
        root.addEventListener("keydown", (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) editor.flush(); // the host's shortcut for Generate
        });
    }

    build(root) {
        const editor = this.editor;
        const field = (label, ...content) =>
            rpgElement("label", {className: "rpg-field"}, rpgElement("span", {textContent: label}), ...content);
        this.ratio = rpgInput("rpg-ratio", "Split ratio", (text) => editor.setRatio(text));
        this.ratio.placeholder = "1,1  or  1,1,1;2,1,1";
        this.basePrompt = rpgTextarea("rpg-base-prompt", "Base prompt", (text) => editor.setField("base_prompt", text));
        this.basePrompt.placeholder = "The whole picture; empty: the main prompt";
        this.sliders = {
            base_ratio: this.buildSlider("base_ratio", "Base ratio", "How much of the base prompt is mixed into every region"),
            latent_ratio: this.buildSlider(
                "latent_ratio",
                "Latent ratio",
                "For how much of the steps, from the first, every region is painted by itself: puts each object into its region. Empty: what suits the model",
            ),
        };
        this.canvas = rpgElement("div", {className: "rpg-canvas"});
        this.table = rpgElement("div", {className: "rpg-table"});
        this.addButton = rpgButton("Add region", "Add a region at the end", () => editor.addRegion());
        this.undoButton = rpgButton("Undo", "Bring back what stood here before the last plan, paste or Clear", () => editor.undo());
        this.clearButton = rpgButton("Clear", "Start again with two empty regions", () => editor.clear());
        // The page of its own has no networks.
        const networks = root.dataset.rpgTab === "standalone" ? "" : " (a LoRA here applies to the whole picture)";
        const head = ["", `Region prompt${networks}`, "Negative prompt", "Base", ""].map((text) => rpgElement("span", {textContent: text}));
        const fields = {
            split_ratio: field("Split ratio", this.ratio),
            base_prompt: field("Base prompt", this.basePrompt.parentElement),
        };
        for (const [name, {label, box}] of Object.entries(this.sliders)) fields[name] = field(label, box);
        const picture = rpgElement("div", {className: "rpg-picture"}, this.canvas);
        const top = rpgElement("div", {className: "rpg-top"}, rpgElement("div", {className: "rpg-fields"}, ...Object.values(fields)), picture);
        this.body = rpgElement("div", {className: "rpg-body"}, top, rpgElement("div", {className: "rpg-row rpg-head"}, ...head), this.table);
        const decided = Object.entries(fields).filter(([name]) => !(name in editor.settings));
        this.planned = [...decided.map(([, element]) => element), picture, this.table]; // what a planner decides
        this.notice = rpgElement("div", {className: "rpg-notice", textContent: "The regions are planned when you press Generate."});
        const bar = rpgElement("div", {className: "rpg-bar"}, this.addButton, this.undoButton, this.clearButton);
        root.replaceChildren(this.notice, this.body, bar);
    }

    /** A number from 0 to 1, by slider or by keyboard. */
    buildSlider(name, label, title) {
        const set = (text) => {
            this.editor.setField(name, rpgNumberOrText(text));
            this.renderFields();
        };
        const input = rpgInput(`rpg-${name.replace("_", "-")}`, label, set);
        const slider = rpgElement("input", {type: "range", min: 0, max: 1, step: 0.05, className: "rpg-slider"});
        slider.ariaLabel = slider.title = title;
        if (name in this.editor.settings) input.placeholder = "auto";
        slider.addEventListener("input", () => set(slider.value));
        return {label, input, slider, box: rpgElement("div", {className: "rpg-slider-box"}, slider, input)};
    }

    buildRow(index) {
        const editor = this.editor;
        const row = {
            number: rpgButton(String(index + 1), `Region ${index + 1}`, () => this.focusPrompt(index)),
            prompt: rpgTextarea("rpg-prompt", "Region prompt", (text) => editor.setRegionField(index, "prompt", text)),
            negative: rpgTextarea("rpg-negative", "Negative prompt; empty: the main one", (text) =>
                editor.setRegionField(index, "negative_prompt", text),
            ),
            ratio: rpgInput("rpg-own-ratio", "Base ratio of this region; empty: the one above", (text) =>
                editor.setRegionField(index, "base_ratio", rpgNumberOrText(text)),
            ),
            up: rpgButton("↑", "Move up", () => editor.moveRegion(index, -1)),
            down: rpgButton("↓", "Move down", () => editor.moveRegion(index, 1)),
            remove: rpgButton("✕", "Delete this region", () => editor.deleteRegion(index)),
        };
        row.number.classList.add("rpg-number");
        row.number.style.setProperty("--rpg-hue", rpgHue(index));
        row.element = rpgElement(
            "div",
            {className: "rpg-row"},
            row.number,
            row.prompt.parentElement,
            row.negative.parentElement,
            row.ratio,
            rpgElement("div", {className: "rpg-buttons"}, row.up, row.down, row.remove),
        );
        row.element.dataset.rpgIndex = index;
        return row;
    }

    buildCell(index) {
        const cell = rpgElement(
            "div",
            {className: "rpg-cell"},
            rpgElement("b", {textContent: String(index + 1)}),
            rpgElement("span", {className: "rpg-words"}),
        );
        cell.dataset.rpgIndex = index;
        cell.style.setProperty("--rpg-hue", rpgHue(index));
        cell.addEventListener("click", () => this.focusPrompt(index));
        return cell;
    }

    /** As many elements in `parent` as there are things to show. */
    resize(parent, elements, count, build, elementOf) {
        while (elements.length > count) elementOf(elements.pop()).remove();
        while (elements.length < count) {
            elements.push(build(elements.length));
            parent.append(elementOf(elements[elements.length - 1]));
        }
    }

    render() {
        const {draft, planner, history} = this.editor;
        this.resize(this.table, this.rows, draft.regions.length, (index) => this.buildRow(index), (row) => row.element);
        this.renderFields();
        draft.regions.forEach((region, index) => {
            const row = this.rows[index];
            rpgSetText(row.prompt, region.prompt);
            rpgSetText(row.negative, region.negative_prompt);
            row.negative.placeholder = region.negative_prompt === "" ? "(none)" : "";
            rpgSetText(row.ratio, region.base_ratio);
            row.up.disabled = index === 0;
            row.down.disabled = index === draft.regions.length - 1;
            row.remove.disabled = draft.regions.length === 1;
        });
        this.addButton.disabled = Boolean(planner) || draft.regions.length >= rpgLimits.regions;
        this.undoButton.disabled = !history.length;
        for (const element of this.planned) element.inert = Boolean(planner);
        this.notice.hidden = !planner;
        this.draw();
    }

    renderFields() {
        const {split_ratio, base_prompt, base_ratio} = this.editor.draft;
        rpgSetText(this.ratio, split_ratio);
        rpgSetText(this.basePrompt, base_prompt);
        for (const [name, {input, slider}] of Object.entries(this.sliders)) {
            const value = this.editor.draft[name] ?? "";
            // "0." and "0.50" are on their way to a number: leave them to the user.
            if (rpgNumberOrText(input.value) !== value) rpgSetText(input, value);
            if (Number.isFinite(value)) slider.value = value;
            slider.classList.toggle("rpg-auto", value === "");
        }
        this.rows.forEach((row) => (row.ratio.placeholder = String(base_ratio)));
    }

    /** The picture: the last split ratio that could be read, dimmed while the present one cannot. */
    draw() {
        const {draft} = this.editor;
        const rows = rpgParseRatio(String(draft.split_ratio));
        this.ratio.classList.toggle("rpg-invalid", !rows);
        this.canvas.classList.toggle("rpg-stale", !rows);
        if (rows) this.drawCells(rpgBoxes(rows));
        this.cells.forEach((cell, index) => {
            const prompt = String(draft.regions[index]?.prompt ?? "").trim();
            cell.lastChild.textContent = prompt.slice(0, 120);
            cell.classList.toggle("rpg-empty", !prompt);
        });
        this.rows.forEach((row, index) => row.element.classList.toggle("rpg-outside", index >= this.cells.length));
    }

    drawCells(boxes) {
        this.resize(this.canvas, this.cells, boxes.length, (index) => this.buildCell(index), (cell) => cell);
        boxes.forEach((box, index) => {
            for (const [side, share] of Object.entries(box)) this.cells[index].style[side] = `${share * 100}%`;
        });
    }

    /** @param aspect width divided by height of the picture to be made */
    setAspect(aspect) {
        if (!(aspect > 0 && aspect < Infinity) || aspect === this.aspect) return;
        this.aspect = aspect;
        this.canvas.style.setProperty("--rpg-aspect", aspect);
    }

    /** Show in the picture which region is being edited. */
    highlight(target) {
        const index = Number(target?.closest(".rpg-row")?.dataset.rpgIndex ?? -1);
        this.cells.forEach((cell, number) => cell.classList.toggle("rpg-active", number === index));
    }

    focusPrompt(index) {
        this.rows[index]?.prompt.focus();
    }

    /** The button that moved a row goes with it, so that it can be pressed again. */
    focusMove(index, step) {
        const {up, down} = this.rows[index];
        const button = step < 0 ? up : down;
        (button.disabled ? this.rows[index].prompt : button).focus();
    }
}

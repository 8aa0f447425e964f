// The buttons above the picture, and the lines below it that belong to the selected region.

class RpgToolbar {
    constructor(editor) {
        this.editor = editor;
        this.build();
        this.buildStrip();
    }

    build() {
        const {editor} = this;
        const group = (...buttons) => rpgElement("div", {className: "rpg-group"}, ...buttons);
        this.tools = {
            box: rpgIconButton("box", "Draw a box (or hold Ctrl and drag)", (event) => this.drawBox(event)),
            brush: rpgIconButton("brush", "Paint a region ([ and ] change the brush's size)", () => editor.setTool("brush")),
            rubber: rpgIconButton("rubber", "Rub out what was painted", () => editor.setTool("rubber")),
        };
        this.undoButton = rpgIconButton("undo", "Undo (Ctrl+Z)", () => editor.act((model) => model.undo()));
        this.redoButton = rpgIconButton("redo", "Redo (Ctrl+Shift+Z)", () => editor.act((model) => model.redo()));
        this.backdrop = rpgElement("select", {className: "rpg-select", ariaLabel: "Picture behind the regions", title: "Picture behind the regions"});
        this.backdrop.append(...editor.backdrops.map(([value, textContent]) => rpgElement("option", {value, textContent})));
        this.backdrop.addEventListener("change", () => editor.followPage());
        this.strength = rpgSlider("How strong the picture behind the regions is", [0, 1, 0.05], () => editor.followPage());
        this.strength.value = 0.6;
        this.sizeButtons = {
            wide: rpgIconButton("wide", "As wide as the panel", () => editor.setSize("wide")),
            page: rpgIconButton("page", "Full page", () => editor.setSize("page")),
        };
        this.element = rpgElement("div", {className: "rpg-tools-bar", role: "toolbar", ariaLabel: "Picture"});
        this.element.append(
            group(...Object.values(this.tools)),
            group(this.undoButton, this.redoButton),
            rpgElement("div", {className: "rpg-group rpg-behind"}, this.backdrop, this.strength),
            group(...Object.values(this.sizeButtons)),
        );
    }

    /** Pressed by keyboard, the button draws a box itself. */
    drawBox(event) {
        const {editor} = this;
        if (event.detail > 0) return editor.setTool("box");
        editor.act((model) => model.addArea({box: rpgFirstBox}), "canvas");
    }

    buildStrip() {
        const {editor} = this;
        const labelled = (text, slider) => rpgElement("label", {className: "rpg-group rpg-small"}, rpgElement("span", {textContent: text}), slider);
        this.number = rpgElement("b", {className: "rpg-mark"});
        this.name = rpgInput("rpg-name", "Name of the region in this editor", (name) =>
            editor.edit((model) => model.mark(model.selected, {name})),
        );
        this.name.placeholder = rpgWords("Name");
        this.hint = rpgElement("span", {className: "rpg-hint"});
        this.region = rpgElement("div", {className: "rpg-group"}, this.number, this.name);
        this.feather = rpgSlider("How soft the edge is, in shares of the area's shorter side", [0, 0.5, 0.01], (feather) =>
            editor.edit((model) => model.setFeather(model.selected, feather)),
        );
        this.radius = rpgSlider("Size of the brush", [0.005, 0.25, 0.005], (radius) => (editor.radius = radius));
        const act = (change) => () => editor.act((model) => change(model, model.selected), "canvas");
        this.boxButton = rpgIconButton("box", "Turn the mask into its bounding box", () => editor.makeBox());
        this.maskButton = rpgIconButton("brush", "Turn the box into a mask", () => editor.changeMask((_, box) => rpgFillBox(editor.newMask(), box)));
        this.maskButtons = rpgElement(
            "div",
            {className: "rpg-group"},
            rpgIconButton("fill", "Fill the mask", () => editor.changeMask(() => rpgFillBox(editor.newMask(), [0, 0, 1, 1]))),
            rpgIconButton("invert", "Invert the mask", () => editor.changeMask(rpgInvertMask)),
            rpgIconButton("clear", "Clear the mask", () => editor.changeMask(() => editor.newMask())),
        );
        this.copyButton = rpgIconButton("copy", "Duplicate (Ctrl+D)", act((model, index) => model.duplicateRegion(index)));
        this.featherBox = labelled("Feather", this.feather);
        this.brushBox = labelled("Brush", this.radius);
        this.area = rpgElement("div", {className: "rpg-group rpg-area"});
        this.area.append(this.brushBox, this.featherBox, this.maskButtons, this.boxButton, this.maskButton, this.copyButton);
        this.strip = rpgElement("div", {className: "rpg-strip"}, this.region, this.area, this.hint);
    }

    draw(place) {
        const {model, size, tool, radius} = this.editor;
        const painting = tool === "brush" || tool === "rubber";
        const {kind = "none"} = place ?? {};
        this.undoButton.disabled = !model.past.length;
        this.redoButton.disabled = !model.future.length;
        this.strength.hidden = !this.backdrop.value;
        for (const [name, button] of Object.entries(this.tools)) rpgSetPressed(button, tool === name);
        for (const [name, button] of Object.entries(this.sizeButtons)) rpgSetPressed(button, size === name);
        this.tools.box.disabled = model.isFull;
        this.region.hidden = model.selected < 0;
        this.number.textContent = String(model.selected + 1);
        this.number.style.setProperty("--rpg-hue", rpgHue(model.selected));
        rpgSetText(this.name, model.nameOf(model.selected));
        this.radius.value = radius;
        this.feather.value = Number(model.regions[model.selected]?.area?.feather) || 0;
        this.brushBox.hidden = !painting;
        this.featherBox.hidden = painting || (kind !== "box" && kind !== "mask");
        this.maskButtons.hidden = this.boxButton.hidden = kind !== "mask";
        this.maskButton.hidden = kind !== "box";
        this.copyButton.hidden = kind === "none";
        this.copyButton.disabled = model.isFull;
        const shaping = [this.feather, this.boxButton, this.maskButton, ...this.maskButtons.children];
        for (const control of shaping) control.disabled = model.isLocked(model.selected);
        this.hint.textContent = rpgWords(rpgHint(kind, tool, model.isLocked(model.selected)));
    }
}

function rpgHint(kind, tool, locked) {
    if (tool === "box") return "Drag a box over the picture.";
    if (tool === "brush" || tool === "rubber") return "";
    if (locked) return "Locked: its place does not change.";
    if (kind === "cell") return "Drag borders; Shift snaps to even parts.";
    return kind === "none" ? "Drag borders; Ctrl and drag draws a box." : "";
}

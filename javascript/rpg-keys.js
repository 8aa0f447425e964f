// The editor by keyboard: the same operations as with the pointer.

const rpgArrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
/** How far an arrow key moves, in fractions of the picture; with Shift ten times. */
const rpgNudge = 0.01;

class RpgKeys {
    constructor(editor, root) {
        this.editor = editor;
        root.addEventListener("pointerdown", () => root.classList.remove("rpg-keyboard"), {capture: true});
        root.addEventListener("keydown", (event) => {
            root.classList.add("rpg-keyboard"); // style.css then shows what has the focus
            if (this.anywhere(event) || this.onCanvas(event)) {
                event.preventDefault();
                event.stopPropagation();
            }
        });
    }

    /** @returns whether the key was one of ours */
    anywhere(event) {
        const {editor} = this;
        const command = event.ctrlKey || event.metaKey;
        const key = event.key.toLowerCase();
        if (key === "enter" && command) editor.flush(); // the host's shortcut for Generate
        if (key === "escape") return this.escape(event.target);
        if (!command || event.altKey) return false;
        if (key === "z" && !event.shiftKey) return this.act((model) => model.undo());
        if (key === "y" || key === "z") return this.act((model) => model.redo());
        return false;
    }

    onCanvas(event) {
        const {editor} = this;
        const {target, key} = event;
        if (!target.closest(".rpg-canvas") || target.closest(".rpg-tools")) return false;
        if (target.dataset.rpgBorder !== undefined) return this.border(Number(target.dataset.rpgBorder), event);
        const {selected} = editor.model;
        const painting = editor.tool === "brush" || editor.tool === "rubber";
        if (painting && (key === "[" || key === "]")) return this.brush(key === "]" ? 1.25 : 0.8);
        if (selected < 0) return false;
        if (key === "Delete" || key === "Backspace") return this.remove(selected);
        const command = event.ctrlKey || event.metaKey;
        if (command && key.toLowerCase() === "d") return this.duplicate();
        if (key in rpgArrows && !event.altKey) return this.nudge(selected, event);
        if (command || event.altKey || painting) return false;
        if (key === "Enter" || key === "F2") {
            editor.view.table.focusPrompt(selected);
            return true;
        }
        // What is typed goes into the prompt: the key that moved the focus writes there, so it is not ours.
        if (key.length === 1 && key !== " ") editor.view.table.focusPrompt(selected);
        return false;
    }

    act(change) {
        this.editor.act(change);
        return true;
    }

    remove(index) {
        if (this.editor.model.regions.length > 1) this.editor.act((model) => model.deleteRegion(index), "canvas");
        return true;
    }

    brush(factor) {
        const {editor} = this;
        editor.radius = Math.min(Math.max(editor.radius * factor, 0.005), 0.25);
        editor.view.draw();
        return true;
    }

    duplicate() {
        this.editor.act((model) => model.duplicateRegion(model.selected), "canvas");
        return true;
    }

    /** Arrows move a region; with Ctrl they move its right and lower edge. */
    nudge(index, {key, shiftKey, ctrlKey, metaKey}) {
        const {editor} = this;
        const {kind, box, mask} = editor.model.places[index];
        if (editor.model.isLocked(index)) return true;
        const [dx, dy] = rpgArrows[key].map((step) => step * rpgNudge * (shiftKey ? 10 : 1));
        if (kind === "mask") {
            const {canvas} = editor.masks.get(mask) ?? {};
            if (canvas) editor.act((model) => model.setArea(index, {mask: editor.maskText(rpgShiftMask(canvas, dx, dy))}));
        }
        if (kind !== "box") return true;
        const moved = ctrlKey || metaKey ? rpgResizeBox(box, "se", dx, dy) : rpgMoveBox(box, dx, dy);
        editor.edit((model) => model.setArea(index, {box: moved}, `nudge ${index}`));
        return true;
    }

    border(index, {key, shiftKey}) {
        const {editor} = this;
        const border = rpgBorders(editor.model.rows)[index];
        const step = rpgArrows[key]?.[border.axis === "x" ? 0 : 1];
        if (!step) return false;
        if (border.cells.some((cell) => editor.model.isLocked(editor.model.regionOfCell(cell)))) return true;
        const at = border.at + step * rpgNudge * (shiftKey ? 10 : 1);
        editor.edit((model) => model.moveBorder(border, at, false, `border ${index}`));
        editor.view.renderFields();
        return true;
    }

    /** One step out: the gesture, the tool, the selection, the full page. */
    escape(target) {
        const {editor} = this;
        if (editor.pointer.cancel()) return true;
        if (editor.tool !== "select") {
            editor.setTool(editor.tool);
            return true;
        }
        if (target.closest(".rpg-canvas") && editor.model.selected >= 0) {
            editor.select(-1);
            editor.view.canvas.element.focus({preventScroll: true});
            return true;
        }
        if (editor.size !== "page") return false;
        editor.setSize("page");
        return true;
    }
}

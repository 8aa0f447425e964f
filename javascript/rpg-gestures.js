// What dragging does. A gesture is {holds, move(point, event), end(moved), cancel(moved)}: `holds` keeps touch from scrolling the
// page; `end` and `cancel` are told whether the pointer moved. All that a gesture changes is one step of the history.

class RpgGestures {
    constructor(editor, canvas) {
        this.editor = editor;
        this.canvas = canvas;
    }

    /** A gesture whose every move starts from the draft as it was. */
    change(run, change) {
        const {editor} = this;
        const from = editor.model.draft;
        return {
            holds: true,
            move: (point, {shiftKey}) =>
                editor.preview((model) => {
                    model.step(run);
                    model.draft = from;
                    change(model, point, shiftKey, run);
                }),
            cancel: (moved) => moved && editor.model.cancel(),
        };
    }

    select(index) {
        this.editor.select(index);
        if (index >= 0) this.canvas.focusRegion(index);
        else this.canvas.element.focus({preventScroll: true});
    }

    tap(index) {
        return {holds: false, end: (moved) => moved || this.select(index)};
    }

    dragBorder(index) {
        const border = rpgBorders(this.editor.model.rows)[index];
        this.canvas.focusBorder(index);
        return this.change("border", (model, point, snap, run) =>
            model.moveBorder(border, border.axis === "x" ? point.x : point.y, snap, run),
        );
    }

    moveBox(start, index) {
        this.select(index);
        const {box} = this.editor.model.places[index];
        return this.change("move", (model, {x, y}, snap, run) => model.moveBox(index, box, x - start.x, y - start.y, snap, run));
    }

    resize(start, handle) {
        const index = this.editor.model.selected;
        this.canvas.focusRegion(index);
        const {box} = this.editor.model.places[index];
        return this.change("resize", (model, {x, y}, snap, run) =>
            model.setArea(index, {box: rpgResizeBox(box, handle, x - start.x, y - start.y, snap)}, run),
        );
    }

    /** A new box; a press without a drag selects nothing. */
    draw(start) {
        const {editor} = this;
        const gesture = this.change("draw", (model, point, snap, run) => model.addArea({box: rpgSpan(start, point, snap)}, run));
        const end = (moved) => {
            if (editor.tool === "box") editor.setTool("box");
            if (!moved) return this.select(-1);
            const [left, top, right, bottom] = editor.model.regions.at(-1).area.box;
            if (right - left < rpgLeastSide || bottom - top < rpgLeastSide) return editor.model.cancel();
            this.canvas.focusRegion(editor.model.selected);
        };
        return {...gesture, end};
    }

    /** Redraw a mask's canvas as the pointer goes; the text is only made at the end. */
    changeMask(index, paint, run) {
        const {editor, canvas} = this;
        const {canvas: mask} = editor.masks.get(editor.model.places[index].mask) ?? {};
        if (!mask) return this.tap(index);
        let now = mask;
        return {
            holds: true,
            move: (point) => {
                now = paint(now === mask ? rpgCopyMask(mask) : now, point, mask);
                canvas.tint(canvas.pieces[index], now, true);
            },
            end: () => now !== mask && editor.model.setArea(index, {mask: editor.maskText(now)}, run),
        };
    }

    moveMask(start, index) {
        this.select(index);
        return this.changeMask(index, (_, {x, y}, mask) => rpgShiftMask(mask, x - start.x, y - start.y), "move");
    }

    /** Paint or rub out in the selected mask; without one the brush begins a new region. */
    paint(start) {
        const {editor, canvas} = this;
        const {model} = editor;
        const rubber = editor.tool === "rubber";
        const fresh = model.places[model.selected]?.kind !== "mask" || model.isLocked(model.selected);
        if (fresh && (rubber || model.isFull)) return this.tap(model.selected);
        if (fresh) {
            model.addArea({mask: editor.maskText(editor.newMask())}, "paint");
            editor.view.render();
        }
        let last = start;
        const index = model.selected;
        canvas.focusRegion(index);
        const stroke = (mask, point) => {
            rpgPaint(mask, last, point, editor.radius, canvas.size, rubber);
            canvas.drawBrush(point);
            last = point;
            return mask;
        };
        const gesture = this.changeMask(index, stroke, "paint");
        gesture.move?.(start); // a press alone leaves a dot
        return {...gesture, cancel: () => fresh && model.cancel()};
    }
}

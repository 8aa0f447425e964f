// Gestures on the picture with mouse, pen and touch: which one begins where the pointer is pressed, and its life until it is
// released. The gestures themselves are in rpg-gestures.js.

/** How near, in pixels of the screen, a pointer has to come to a border or an edge. */
const rpgReach = {mouse: 6, pen: 8, touch: 16};
/** Pixels that a pointer may tremble without dragging. */
const rpgTremble = 3;

class RpgPointer {
    constructor(editor, canvas) {
        this.editor = editor;
        this.canvas = canvas;
        this.gestures = new RpgGestures(editor, canvas);
        this.gesture = null;
        this.pressed = false; // until it is released, nothing is written
        const {element} = canvas;
        element.addEventListener("pointerdown", (event) => this.down(event));
        element.addEventListener("pointermove", (event) => this.move(event));
        element.addEventListener("pointerup", (event) => this.up(event));
        element.addEventListener("pointercancel", (event) => event.pointerId === this.id && this.cancel());
        element.addEventListener("pointerleave", () => this.gesture || canvas.drawBrush(null));
        element.addEventListener("dblclick", (event) => this.isTool(event) || editor.view.table.focusPrompt(editor.model.selected));
        // Says before the browser starts to scroll that this touch is ours.
        element.addEventListener("touchstart", (event) => this.gesture?.holds && event.preventDefault(), {passive: false});
    }

    isTool({target}) {
        return target.closest(".rpg-tools") !== null;
    }

    /** The pointer in fractions of the picture, and its reach along both sides. */
    point({clientX, clientY, pointerType}) {
        const {left, top, width, height} = this.canvas.layer.getBoundingClientRect();
        const reach = rpgReach[pointerType] ?? rpgReach.mouse;
        return {x: (clientX - left) / width, y: (clientY - top) / height, reachX: reach / width, reachY: reach / height};
    }

    down(event) {
        if (event.button !== 0 || this.gesture || this.isTool(event)) return;
        event.preventDefault(); // the focus is set by the gestures, and no text is selected
        const point = this.point(event);
        this.pressed = true;
        this.editor.model.endRun();
        this.gesture = this.choose(point, event);
        this.id = event.pointerId;
        this.start = {x: event.clientX, y: event.clientY};
        this.moved = false;
        this.canvas.element.classList.toggle("rpg-dragging", this.gesture.holds);
        if (this.gesture.holds) this.canvas.element.setPointerCapture(event.pointerId);
    }

    move(event) {
        const point = this.point(event);
        if (!this.gesture) return this.hover(point, event);
        if (event.pointerId !== this.id) return;
        this.moved ||= Math.hypot(event.clientX - this.start.x, event.clientY - this.start.y) >= rpgTremble;
        if (this.moved) this.gesture.move?.(point, event);
    }

    up(event) {
        if (event.pointerId !== this.id || !this.gesture) return;
        const {gesture} = this;
        this.release();
        gesture.end?.(this.moved);
        this.editor.flush();
    }

    /** Escape, or the browser took the touch for itself: as if nothing had been dragged. */
    cancel() {
        if (!this.gesture) return false;
        const {gesture} = this;
        this.release();
        gesture.cancel?.(this.moved);
        this.editor.view.render();
        return true;
    }

    release() {
        this.pressed = false;
        this.gesture = null;
        this.canvas.element.classList.remove("rpg-dragging");
    }

    /** What lies below a point, as choose() and hover() need it. */
    look(point, event) {
        const {model, tool} = this.editor;
        if (tool === "brush" || tool === "rubber") return {brush: true};
        if (tool === "box" || event.ctrlKey || event.metaKey) return {draw: !model.isFull};
        const handle = this.handleAt(point);
        if (handle) return {handle};
        const hits = this.hits(point);
        const at = event.altKey ? hits[(hits.indexOf(model.selected) + 1) % hits.length] : hits[0];
        const kind = model.places[at]?.kind;
        const border = kind === undefined || kind === "cell" ? this.borderAt(point) : -1;
        if (border >= 0 && !event.altKey) return {border};
        return {region: at ?? -1, kind, draw: at === undefined && !model.isFull};
    }

    choose(point, event) {
        const {gestures} = this;
        const {brush, draw, handle, border, region, kind} = this.look(point, event);
        if (brush) return gestures.paint(point);
        if (handle) return gestures.resize(point, handle);
        if (border !== undefined) return gestures.dragBorder(border);
        if (kind === "box") return gestures.moveBox(point, region);
        if (kind === "mask") return gestures.moveMask(point, region);
        if (draw) return gestures.draw(point);
        return gestures.tap(region ?? -1);
    }

    /** The regions below a point, the topmost first; locked and hidden ones let it through. */
    hits(point) {
        const {model, masks} = this.editor;
        const covers = ({box, mask}) => (mask === undefined ? box && rpgInside(box, point) : masks.weightAt(mask, point) > 0.3);
        const inside = model.places.map((place, index) => (covers(place) ? index : -1));
        return inside.filter((index) => index >= 0 && !model.isLocked(index) && !model.isHidden(index)).reverse();
    }

    /** The border within reach, or -1. One that touches a locked cell stays. */
    borderAt(point) {
        const {model} = this.editor;
        return rpgBorders(model.rows ?? []).findIndex(({axis, at, from, to, cells}) => {
            const [along, across, reach] = axis === "x" ? [point.x, point.y, point.reachX] : [point.y, point.x, point.reachY];
            const near = Math.abs(along - at) <= reach && across >= from && across <= to;
            return near && !cells.some((cell) => model.isLocked(model.regionOfCell(cell)));
        });
    }

    /** The edge or corner of the selected box within reach ("n", "se", ...), or "". The middle of a small box stays free. */
    handleAt({x, y, reachX, reachY}) {
        const {model} = this.editor;
        const {kind, box} = model.places[model.selected] ?? {};
        if (kind !== "box" || model.isLocked(model.selected) || model.isHidden(model.selected)) return "";
        const side = (at, low, high, reach, names) => {
            if (at < low - reach || at > high + reach) return null;
            const inner = Math.min(reach, (high - low) / 4);
            if (at <= low + inner) return names[0];
            return at >= high - inner ? names[1] : "";
        };
        const vertical = side(y, box[1], box[3], reachY, "ns");
        const horizontal = side(x, box[0], box[2], reachX, "we");
        return vertical === null || horizontal === null ? "" : vertical + horizontal;
    }

    /** Show what a press would take hold of. */
    hover(point, event) {
        if (event.pointerType === "touch") return;
        const {canvas} = this;
        const {brush, draw, handle, border = -1, region = -1, kind} = this.look(point, event);
        const axis = rpgBorders(this.editor.model.rows ?? [])[border]?.axis;
        const movable = kind === "box" || kind === "mask" ? "move" : "";
        const resize = {n: "ns", s: "ns", e: "ew", w: "ew", nw: "nwse", se: "nwse", ne: "nesw", sw: "nesw"}[handle];
        const borders = {x: "col-resize", y: "row-resize"};
        canvas.element.style.cursor = brush ? "none" : resize ? `${resize}-resize` : borders[axis] ?? (draw ? "crosshair" : movable);
        canvas.drawBrush(brush ? point : null);
        canvas.borders.forEach((element, index) => element.classList.toggle("rpg-hover", index === border));
        canvas.pieces.forEach((element, index) => element.classList.toggle("rpg-hover", index === region));
    }
}

// What playwright-core's types name of a page's own. Nothing here runs in a page, so that the rest of the DOM
// would only be taken for Node's.
interface Node {}
interface HTMLElement {}
interface SVGElement {}
interface HTMLElementTagNameMap {}

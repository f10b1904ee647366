// What embedding.py packed: gzipped JSON in base64, in elements of their own. Unpacked when looked at.
"use strict";
const store = (() => {
  const KEPT_PACKS = 12;
  const packs = new Map(); // number -> promise of an unpacked pack, least recently used first

  async function unpack(id) {
    const stream = new Blob([bytesOf(document.getElementById(id).textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  function bytesOf(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const letters = atob(base64);
    const bytes = new Uint8Array(letters.length);
    for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
    return bytes;
  }

  function openPack(number) {
    const open = packs.get(number) ?? unpack(`pack-${number}`).then(withPlaces);
    packs.delete(number);
    packs.set(number, open);
    if (packs.size > KEPT_PACKS) packs.delete(packs.keys().next().value);
    return open;
  }

  // The first row of each episode of a pack.
  function withPlaces(pack) {
    pack.rows = [0];
    for (const turns of pack.turns) pack.rows.push(pack.rows.at(-1) + turns);
    return pack;
  }

  return { unpack, openPack };
})();

// Where the bytes of a video or a picture come from, each once.
//
// A file is fetched whole and played from memory: not every server can be asked for a part of
// one, and without that a video cannot be sought in. What cannot be fetched is asked of the
// kernel, if there is one, and else handed to the element as it is.

const PICTURE = /^data:image\/(?:jpeg|png|webp|gif);base64,/;

// Addresses at which a Jupyter server may offer a file; none where the page is no such server's.
export function served(place) {
  const config = document.getElementById("jupyter-config-data");
  if (!config || !place) return [];
  let base, root;
  try {
    ({ baseUrl: base, serverRoot: root } = JSON.parse(config.textContent));
  } catch {
    return [];
  }
  const found = [];
  const below = root?.replace(/\/+$/, "") + "/";
  if (root && place.path.startsWith(below)) found.push(place.path.slice(below.length));
  // Not every page says where its server's root is; the notebook's own address does, too.
  const open = /\/(?:tree|notebooks)\/(?:RTC:)?(.*)$/.exec(decodeURIComponent(location.pathname));
  if (open && place.beside) found.push(open[1].replace(/[^/]*$/, "") + place.beside);
  const address = (path) => `${base.replace(/\/*$/, "")}/files/${path.split("/").map(encodeURIComponent).join("/")}`;
  return [...new Set(found.map(address))];
}

async function fetched(address, nbytes) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) return null;
    const blob = await answer.blob();
    // Another file of this name, or a page that asks for a password, is not what was meant.
    return (nbytes ? blob.size === nbytes : blob.type.startsWith("video/")) ? blob : null;
  } catch {
    return null;
  }
}

// The address to play, and the blob behind it, if any, which is to be let go when it is not needed any more.
// item: {url} or {bytes} (bytes, a blob, or a function that brings them), and where it may be had cheaper: {file, nbytes}
export async function sourceOf(item, type) {
  let blob = null;
  for (const address of served(item.file)) {
    blob ??= await fetched(address, item.nbytes);
  }
  if (!blob && item.url && !/^(?:data|blob):/.test(item.url)) blob = await fetched(item.url, item.nbytes);
  if (!blob && item.bytes) {
    const bytes = typeof item.bytes === "function" ? await item.bytes() : item.bytes;
    blob = bytes instanceof Blob ? bytes : new Blob([bytes], { type });
  }
  if (!blob) {
    if (!item.url) throw new Error("there is no file");
    return { url: item.url, release: () => {} };
  }
  if (blob.type !== type) blob = blob.slice(0, blob.size, type);
  const url = URL.createObjectURL(blob);
  return { url, release: () => URL.revokeObjectURL(url) };
}

// A picture is small: what is no address of a picture is not put into the page.
export async function pictureOf(item) {
  if (PICTURE.test(item.url ?? "") || (item.url && !item.url.includes(":"))) return { url: item.url, release: () => {} };
  return item.bytes ? sourceOf({ bytes: item.bytes }, item.type ?? "image/jpeg") : null;
}

//! Pictures, sound, films.

use super::super::Mark::Bytes;
use super::{Table, container, kind};

pub(in super::super) static MEDIA: Table = &[
    (
        Bytes(&[(0, b"\x89PNG\r\n\x1a\n")]),
        kind("a picture (PNG)", &["image/png", "image/x-png", "image/apng"], &["png", "apng"]),
    ),
    (
        Bytes(&[(0, b"\xff\xd8\xff")]),
        kind(
            "a picture (JPEG)",
            &["image/jpeg", "image/jpg", "image/pjpeg"],
            &["jpg", "jpeg", "jpe", "jfif"],
        ),
    ),
    (Bytes(&[(0, b"GIF87a")]), kind("a picture (GIF)", &["image/gif"], &["gif"])),
    (Bytes(&[(0, b"GIF89a")]), kind("a picture (GIF)", &["image/gif"], &["gif"])),
    (Bytes(&[(0, b"RIFF"), (8, b"WEBP")]), kind("a picture (WebP)", &["image/webp"], &["webp"])),
    (
        Bytes(&[(0, b"II*\0")]),
        container(
            "a picture (TIFF)",
            &["image/tiff", "image/*"],
            &["tif", "tiff"],
            &["dng", "nef", "cr2", "arw"],
        ),
    ),
    (
        Bytes(&[(0, b"MM\0*")]),
        container(
            "a picture (TIFF)",
            &["image/tiff", "image/*"],
            &["tif", "tiff"],
            &["dng", "nef", "cr2", "arw"],
        ),
    ),
    (
        Bytes(&[(0, b"BM"), (6, b"\0\0\0\0"), (15, b"\0\0\0")]),
        kind("a picture (BMP)", &["image/bmp", "image/x-ms-bmp", "image/x-bmp"], &["bmp", "dib"]),
    ),
    (
        Bytes(&[(0, b"8BPS\0")]),
        kind(
            "a picture (Photoshop)",
            &["image/vnd.adobe.photoshop", "application/photoshop", "application/x-photoshop"],
            &["psd"],
        ),
    ),
    (
        Bytes(&[(0, b"\x01\0\0\0"), (40, b" EMF")]),
        kind("a picture (EMF)", &["image/emf", "image/x-emf", "application/x-msmetafile"], &["emf"]),
    ),
    (Bytes(&[(4, b"ftypavif")]), kind("a picture (AVIF)", &["image/avif"], &["avif"])),
    (Bytes(&[(4, b"ftyphei")]), kind("a picture (HEIF)", &["image/heic", "image/heif"], &["heic", "heif"])),
    (
        Bytes(&[(4, b"ftypmif1")]),
        kind("a picture (HEIF)", &["image/heif", "image/heic", "image/avif"], &["heif", "heic"]),
    ),
    (Bytes(&[(4, b"ftypqt  ")]), kind("a film", &["video/quicktime"], &["mov", "qt"])),
    (
        Bytes(&[(4, b"ftyp")]),
        kind(
            "a film or sound (MP4)",
            &["video/mp4", "video/*", "audio/*", "application/mp4"],
            &["mp4", "m4v", "m4a", "3gp", "mov"],
        ),
    ),
    (
        Bytes(&[(0, b"RIFF"), (8, b"WAVE")]),
        kind("sound (WAV)", &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"], &["wav"]),
    ),
    (
        Bytes(&[(0, b"RIFF"), (8, b"AVI ")]),
        kind("a film (AVI)", &["video/x-msvideo", "video/avi", "video/vnd.avi", "video/msvideo"], &["avi"]),
    ),
    (Bytes(&[(0, b"ID3")]), kind("sound (MP3)", &["audio/mpeg", "audio/mp3", "audio/*"], &["mp3"])),
    (
        Bytes(&[(0, b"OggS\0")]),
        kind(
            "sound or film (Ogg)",
            &["audio/ogg", "video/ogg", "application/ogg", "audio/*"],
            &["ogg", "oga", "ogv", "opus"],
        ),
    ),
    (Bytes(&[(0, b"fLaC")]), kind("sound (FLAC)", &["audio/flac", "audio/x-flac"], &["flac"])),
    (
        Bytes(&[(0, b"\x1a\x45\xdf\xa3")]),
        kind(
            "a film (Matroska)",
            &["video/x-matroska", "video/webm", "video/*", "audio/*"],
            &["mkv", "webm", "mka"],
        ),
    ),
    (
        Bytes(&[(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")]),
        kind(
            "a film or sound of Windows",
            &["video/x-ms-wmv", "video/x-ms-asf", "audio/x-ms-wma", "application/vnd.ms-asf"],
            &["wmv", "wma", "asf"],
        ),
    ),
];

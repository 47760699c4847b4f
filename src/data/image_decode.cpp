// PNG through libpng and JPEG through libjpeg-turbo, both from memory.
// The order matters: the libraries use types that they do not include.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
#include <png.h>
// clang-format on

#include <csetjmp>
#include <cstring>

#include "base/error.h"
#include "data/image.h"

namespace pdarts::data {
namespace {

constexpr int64_t kMostPixels = int64_t{1} << 28;  // a wrong header must not claim all memory

[[noreturn]] void FailToDecode(const char* format, const std::string& reason, const std::string& where) {
  throw base::DataError(fmt::format("cannot decode the {}: {}", format, reason), where,
                        "replace the file or remove it");
}

void CheckSize(int64_t height, int64_t width, const char* format, const std::string& where) {
  if (height <= 0 || width <= 0 || height * width > kMostPixels) {
    FailToDecode(format, fmt::format("its header says {} x {} pixels", height, width), where);
  }
}

struct JpegErrors {
  jpeg_error_mgr manager;
  jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void JpegFail(j_common_ptr info) {
  JpegErrors* errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->manager.format_message(info, errors->message);
  longjmp(errors->escape, 1);
}

void JpegWarn(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF)
    JpegFail(info);  // the rest would be grey; other oddities are accepted
}

// Runs the header, and the rest too where `rows` is given (height x width x components). Holds no object with a
// destructor, since the library's errors jump over this frame.
struct JpegDecoder {
  jpeg_decompress_struct info{};
  JpegErrors errors{};

  bool Start(std::span<const uint8_t> bytes) {
    info.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = JpegFail;
    errors.manager.emit_message = JpegWarn;
    if (setjmp(errors.escape) != 0) return false;
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes.data(), bytes.size());
    jpeg_read_header(&info, TRUE);
    const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
    info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    return true;
  }

  bool Decode(uint8_t* rows, size_t row_bytes) {
    if (setjmp(errors.escape) != 0) return false;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = rows + info.output_scanline * row_bytes;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    return true;
  }

  ~JpegDecoder() { jpeg_destroy_decompress(&info); }
};

// Adobe stores CMYK inverted: 255 is no ink.
void CmykToRgb(const uint8_t* cmyk, int64_t pixels, bool inverted, uint8_t* rgb) {
  for (int64_t p = 0; p < pixels; ++p) {
    const auto light = [&](int c) { return inverted ? cmyk[4 * p + c] : 255 - cmyk[4 * p + c]; };
    for (int c = 0; c < 3; ++c) rgb[3 * p + c] = static_cast<uint8_t>((light(c) * light(3) + 127) / 255);
  }
}

Image DecodeJpeg(std::span<const uint8_t> bytes, const std::string& where) {
  JpegDecoder decoder;
  if (!decoder.Start(bytes)) FailToDecode("JPEG", decoder.errors.message, where);
  Image image{static_cast<int>(decoder.info.image_height), static_cast<int>(decoder.info.image_width), {}};
  CheckSize(image.height, image.width, "JPEG", where);
  const size_t pixels = static_cast<size_t>(image.height) * static_cast<size_t>(image.width);
  const bool cmyk = decoder.info.out_color_space == JCS_CMYK;
  const size_t components = cmyk ? 4 : 3;
  std::vector<uint8_t> rows(pixels * components);
  if (!decoder.Decode(rows.data(), static_cast<size_t>(image.width) * components))
    FailToDecode("JPEG", decoder.errors.message, where);
  if (!cmyk) {
    image.pixels = std::move(rows);
  } else {
    image.pixels.resize(pixels * 3);
    CmykToRgb(rows.data(), static_cast<int64_t>(pixels), decoder.info.saw_Adobe_marker != 0, image.pixels.data());
  }
  return image;
}

struct PngDecoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const uint8_t* next = nullptr;
  size_t left = 0;
  char message[256] = "out of memory";

  static void Fail(png_structp png, png_const_charp text) {
    PngDecoder* self = static_cast<PngDecoder*>(png_get_error_ptr(png));
    std::strncpy(self->message, text, sizeof self->message - 1);
    png_longjmp(png, 1);
  }
  static void Ignore(png_structp, png_const_charp) {}
  static void ReadBytes(png_structp png, png_bytep out, size_t count) {
    PngDecoder* self = static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (count > self->left) png_error(png, "the file ends early");
    std::memcpy(out, self->next, count);
    self->next += count;
    self->left -= count;
  }

  // Reads the header and asks for 8-bit RGB.
  bool Start(std::span<const uint8_t> bytes) {
    next = bytes.data();
    left = bytes.size();
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, Fail, Ignore);
    if (png == nullptr) return false;
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    info = png_create_info_struct(png);
    if (info == nullptr) return false;
    png_set_read_fn(png, this, ReadBytes);
    png_read_info(png, info);
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return true;
  }

  bool Decode(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_read_image(png, rows);
    png_read_end(png, nullptr);
    return true;
  }

  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

Image DecodePng(std::span<const uint8_t> bytes, const std::string& where) {
  PngDecoder decoder;
  if (!decoder.Start(bytes)) FailToDecode("PNG", decoder.message, where);
  Image image{static_cast<int>(png_get_image_height(decoder.png, decoder.info)),
              static_cast<int>(png_get_image_width(decoder.png, decoder.info)),
              {}};
  CheckSize(image.height, image.width, "PNG", where);
  const size_t row_bytes = static_cast<size_t>(image.width) * 3;
  if (png_get_rowbytes(decoder.png, decoder.info) != row_bytes) FailToDecode("PNG", "its pixels are not RGB", where);
  image.pixels.resize(row_bytes * static_cast<size_t>(image.height));
  std::vector<png_bytep> rows(static_cast<size_t>(image.height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = image.pixels.data() + y * row_bytes;
  if (!decoder.Decode(rows.data())) FailToDecode("PNG", decoder.message, where);
  return image;
}

bool IsPng(std::span<const uint8_t> bytes) { return bytes.size() >= 8 && png_sig_cmp(bytes.data(), 0, 8) == 0; }

bool IsJpeg(std::span<const uint8_t> bytes) {
  return bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

[[noreturn]] void FailUnknown(const std::string& where) {
  throw base::DataError("this is neither PNG nor JPEG", where, "convert the file or remove it");
}

}  // namespace

Image DecodeImage(std::span<const uint8_t> bytes, const std::string& where) {
  if (IsPng(bytes)) return DecodePng(bytes, where);
  if (IsJpeg(bytes)) return DecodeJpeg(bytes, where);
  FailUnknown(where);
}

ImageSize DecodeImageSize(std::span<const uint8_t> bytes, const std::string& where) {
  ImageSize size;
  if (IsPng(bytes)) {
    PngDecoder decoder;
    if (!decoder.Start(bytes)) FailToDecode("PNG", decoder.message, where);
    size = {static_cast<int>(png_get_image_height(decoder.png, decoder.info)),
            static_cast<int>(png_get_image_width(decoder.png, decoder.info))};
  } else if (IsJpeg(bytes)) {
    JpegDecoder decoder;
    if (!decoder.Start(bytes)) FailToDecode("JPEG", decoder.errors.message, where);
    size = {static_cast<int>(decoder.info.image_height), static_cast<int>(decoder.info.image_width)};
  } else {
    FailUnknown(where);
  }
  CheckSize(size.height, size.width, "image", where);
  return size;
}

}  // namespace pdarts::data

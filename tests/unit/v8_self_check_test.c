/* SPDX-License-Identifier: GPL-2.0-only */
/* Self-checks on a heap made up here: right, then with one word wrong at a
 * time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "v8/self_check.h"

#define PAGE	  0x10000000ULL /* of the object */
#define METADATA  0x20000000ULL
#define ALLOCATOR 0x30000000ULL
#define LAB	  (ALLOCATOR + 0x200)
#define ISOLATE	  0x40000000ULL
#define HEAP	  (ISOLATE + 0x800)
#define MAP	  0x50000000ULL
#define META_MAP  0x50000100ULL
#define OBJECT	  (PAGE + 0x1000)
#define BLOCK	  0x2000

/* Memory: blocks of words, everything else unmapped. */
struct image {
	uint64_t page[BLOCK / 8], metadata[BLOCK / 8], allocator[BLOCK / 8];
	uint64_t isolate[BLOCK / 8], maps[BLOCK / 8];
};

static struct image image;
static struct v8_memory memory;
static struct v8_layout layout;

static uint64_t *block(uint64_t address)
{
	switch (address & ~(uint64_t)(BLOCK - 1)) {
	case PAGE:
		return image.page;
	case METADATA:
		return image.metadata;
	case ALLOCATOR:
		return image.allocator;
	case ISOLATE:
		return image.isolate;
	case MAP:
		return image.maps;
	default:
		return NULL;
	}
}

static int read_image(void *context, uint64_t address, void *out, size_t size)
{
	uint64_t *words = block(address);
	size_t at = address % BLOCK;

	if (!words || size > BLOCK - at)
		return -EFAULT;
	memcpy(out, (uint8_t *)words + at, size);
	return 0;
}

static void set(uint64_t address, uint64_t value)
{
	block(address)[address % BLOCK / 8] = value;
}

static int setup(void **state)
{
	layout = (struct v8_layout){
		.type_map = 272,
		.map_instance_type = 12,
		.allocator_heap = 8,
		.allocator_lab = 0xa0,
		.page_flags = 0,
		.page_metadata = 8,
		.metadata_area_start = 0x48,
		.isolate_from_heap = 0x800,
		.isolate_c_entry_fp = 0x140,
	};
	memset(&image, 0, sizeof(image));
	memory = (struct v8_memory){.read = read_image};
	v8_memory_begin(&memory);
	set(PAGE, V8_PAGE_TO);
	set(PAGE + 8, METADATA);
	set(METADATA + 0x48, PAGE + 0x100);
	set(ALLOCATOR + 8, HEAP);
	set(ALLOCATOR + 0xa0, LAB);
	set(LAB, OBJECT);
	set(LAB + 8, OBJECT + 0x20);
	set(LAB + 16, PAGE + V8_PAGE_BYTES);
	set(ISOLATE + 0x140, 0x7ffffff0);
	set(OBJECT, MAP + V8_TAG);
	set(MAP, META_MAP + V8_TAG);
	set(META_MAP + 8, 272ULL << 32);
	return 0;
}

static enum v8_finding lab(void)
{
	return v8_self_check_lab(&layout, &memory, ALLOCATOR);
}

static enum v8_finding heap(void)
{
	return v8_self_check_heap(&layout, &memory, ALLOCATOR, HEAP);
}

static enum v8_finding page(void)
{
	return v8_self_check_page(&layout, &memory, OBJECT);
}

static enum v8_finding object(void)
{
	return v8_self_check_object(&layout, &memory, OBJECT);
}

/* The check after a word has been replaced; the word is put back. */
static void expect(enum v8_finding (*check)(void), uint64_t address,
		   uint64_t value, enum v8_finding expected)
{
	uint64_t before = block(address)[address % BLOCK / 8];
	enum v8_finding found;

	set(address, value);
	found = check();
	if (found != expected)
		fail_msg("%#llx at %#llx: expected %d, found %d",
			 (unsigned long long)value, (unsigned long long)address,
			 expected, found);
	set(address, before);
	assert_int_equal(check(), V8_FOUND_SANE);
}

static void allocation_areas(void **state)
{
	expect(lab, LAB, OBJECT, V8_FOUND_SANE);
	expect(lab, LAB + 8, OBJECT, V8_FOUND_SANE);
	expect(lab, LAB + 8, PAGE + V8_PAGE_BYTES, V8_FOUND_SANE);
	expect(lab, LAB + 8, OBJECT - 8, V8_FOUND_WRONG);
	expect(lab, LAB + 8, PAGE + V8_PAGE_BYTES + 8, V8_FOUND_WRONG);
	expect(lab, LAB + 8, OBJECT + 4, V8_FOUND_WRONG);
	expect(lab, LAB + 16, PAGE + V8_PAGE_BYTES + 8, V8_FOUND_WRONG);
	expect(lab, LAB, 0, V8_FOUND_WRONG);
	expect(lab, LAB, UINT64_MAX - 7, V8_FOUND_WRONG);
	expect(lab, ALLOCATOR + 0xa0, 0, V8_FOUND_WRONG);
	expect(lab, ALLOCATOR + 0xa0, LAB + 1, V8_FOUND_WRONG);
	expect(lab, ALLOCATOR + 0xa0, 0x60000000, V8_FOUND_NOTHING);
	set(LAB, 0);
	set(LAB + 8, 0);
	set(LAB + 16, 0);
	assert_int_equal(lab(), V8_FOUND_NOTHING);
	assert_int_equal(v8_self_check_lab(&layout, &memory, 0x60000000),
			 V8_FOUND_NOTHING);
}

static void heaps(void **state)
{
	expect(heap, ISOLATE + 0x140, 0, V8_FOUND_SANE);
	expect(heap, ISOLATE + 0x140, 0x7ffffff1, V8_FOUND_WRONG);
	expect(heap, ISOLATE + 0x140, 42ULL << 32 << 16, V8_FOUND_WRONG);
	expect(heap, ALLOCATOR + 8, HEAP + 8, V8_FOUND_WRONG);
	layout.isolate_from_heap = 0x10000;
	assert_int_equal(heap(), V8_FOUND_NOTHING);
}

static void pages(void **state)
{
	expect(page, PAGE, 0, V8_FOUND_SANE);
	expect(page, PAGE, V8_PAGE_FROM, V8_FOUND_SANE);
	expect(page, PAGE, V8_PAGE_FROM | V8_PAGE_TO, V8_FOUND_WRONG);
	expect(page, PAGE + 8, 1, V8_FOUND_WRONG);
	expect(page, PAGE + 8, 0x60000000, V8_FOUND_NOTHING);
	expect(page, METADATA + 0x48, OBJECT, V8_FOUND_SANE);
	expect(page, METADATA + 0x48, OBJECT + 8, V8_FOUND_WRONG);
	expect(page, METADATA + 0x48, PAGE - 8, V8_FOUND_WRONG);
	layout.page_flags = 8;
	layout.page_metadata = V8_PAGE_INLINE;
	layout.metadata_area_start = 0x18;
	set(PAGE + 0x18, PAGE + 0x200);
	set(PAGE + 8, V8_PAGE_TO);
	expect(page, PAGE + 0x18, METADATA, V8_FOUND_WRONG);
}

static void maps_of_objects(void **state)
{
	expect(object, OBJECT, MAP, V8_FOUND_WRONG); /* forwarded */
	expect(object, OBJECT, 42ULL << 32, V8_FOUND_WRONG);
	expect(object, OBJECT, MAP + 3, V8_FOUND_WRONG); /* weak */
	expect(object, OBJECT, 0x60000001, V8_FOUND_NOTHING);
	expect(object, MAP, META_MAP, V8_FOUND_WRONG);
	expect(object, MAP, 0x60000001, V8_FOUND_NOTHING);
	expect(object, META_MAP + 8, 271ULL << 32, V8_FOUND_WRONG);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(allocation_areas),
		TEST(heaps),
		TEST(pages),
		TEST(maps_of_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An allocation-heavy C++ program: builds and queries an inverted index of
 * made-up documents with standard containers. An operation is one document.
 * The sequence of documents is fixed.
 */
#include "target.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace
{
struct posting {
	unsigned document;
	std::vector<unsigned> places;
};

class index_of_words
{
      public:
	void add(unsigned document, const std::string &text)
	{
		unsigned place = 0;

		for (const std::string &word : split(text)) {
			std::vector<posting> &list = postings_[word];

			if (list.empty() || list.back().document != document)
				list.push_back({document, {}});
			list.back().places.push_back(place++);
		}
		titles_[document] = "document number " +
				    std::to_string(document) + ": " +
				    text.substr(0, 40);
	}

	void forget(unsigned document)
	{
		for (auto it = postings_.begin(); it != postings_.end();) {
			std::vector<posting> &list = it->second;

			list.erase(std::remove_if(list.begin(), list.end(),
						  [=](const posting &p) {
							  return p.document ==
								 document;
						  }),
				   list.end());
			it = list.empty() ? postings_.erase(it) : std::next(it);
		}
		titles_.erase(document);
	}

      private:
	static std::vector<std::string> split(const std::string &text)
	{
		std::vector<std::string> words;
		size_t start = 0, end;

		while ((end = text.find(' ', start)) != std::string::npos) {
			words.push_back(text.substr(start, end - start));
			start = end + 1;
		}
		return words;
	}

	std::map<std::string, std::vector<posting>> postings_;
	std::unordered_map<unsigned, std::string> titles_;
};

std::string document_text(unsigned number)
{
	static const char *const roots[] = {
		"allocation", "stack", "counter", "interval", "kernel", "page",
		"process", "thread", "unwinding", "probe", "return", "sample",
	};
	std::string text;
	unsigned state = number * 2654435761u + 1;

	for (int i = 0; i < 40; i++) {
		state = state * 1664525u + 1013904223u;
		text += roots[state >> 16 & 7];
		text += "-with-a-suffix-";
		text += std::to_string(state >> 26);
		text += ' ';
	}
	return text;
}

uint64_t batch(uint64_t)
{
	static index_of_words index;
	static unsigned next;

	index.add(next, document_text(next));
	if (next >= 8)
		index.forget(next - 8);
	next++;
	return 1;
}
} // namespace

int main()
{
	return bench_main(batch, 0);
}

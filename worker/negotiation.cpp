#include "zmqspdy/negotiation.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "worker/http.hpp"
#include "worker/parameters.hpp"

namespace zmqspdy {

namespace {

using serving::equal_ignoring_case;
using serving::Parameterized;

constexpr int kFullWeight = 1000;
/// Acceptable, though less than anything that the client asked for.
constexpr int kUnasked = 1;
/// Weights are compared on a scale with room for kUnasked below 0.001.
constexpr int kScale = 2;

/// In thousandths: RFC 9110, 12.4.2. Some clients leave the 0 before the point out.
std::optional<int> parse_weight(std::string_view text) {
    const bool no_zero = text.starts_with('.') && text.size() > 1;
    const std::string_view fraction = text.substr(std::min<std::size_t>(no_zero ? 1 : 2, text.size()));
    if (!no_zero &&
        (text.empty() || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.')))
        return std::nullopt;
    if (fraction.size() > 3)
        return std::nullopt;
    int weight = no_zero ? 0 : (text[0] - '0') * kFullWeight;
    int unit = kFullWeight;
    for (const char c : fraction) {
        if (c < '0' || c > '9')
            return std::nullopt;
        unit /= 10;
        weight += (c - '0') * unit;
    }
    return weight <= kFullWeight ? std::optional{weight} : std::nullopt;
}

struct Range {
    Parameterized what;  ///< without q
    int weight;
};

/// `is_range` says whether something without its parameters is a range at all.
std::optional<std::vector<Range>> parse_ranges(const Request& request, std::string_view field,
                                               bool (*is_range)(std::string_view)) {
    const auto joined = serving::joined_header(request, field);
    if (!joined)
        return std::nullopt;
    std::vector<Range> ranges;
    for (const auto element : serving::split_list(*joined)) {
        auto parsed = serving::parse_parameterized(element);
        if (parsed && parsed->value == "*" && field == "accept")
            parsed->value = "*/*";  // Java's old URL connections say so
        if (!parsed || !is_range(parsed->value))
            continue;
        const auto weight = parse_weight(parsed->parameter("q").value_or("1"));
        if (!weight)
            continue;
        std::erase_if(parsed->parameters, [](const auto& parameter) { return parameter.first == "q"; });
        ranges.push_back({std::move(*parsed), *weight * kScale});
    }
    return ranges;
}

/// How much a client likes something, 0 being not at all; then how close it is to what was asked for.
using Liking = std::pair<int, std::size_t>;

template <typename LikingOf>
std::optional<std::string_view> choose(Offered offered, LikingOf liking_of) {
    std::optional<std::string_view> best;
    Liking most{0, 0};
    for (const auto candidate : offered) {
        const Liking liking = liking_of(candidate);
        if (liking.first > 0 && liking > most) {
            best = candidate;
            most = liking;
        }
    }
    return best;
}

std::optional<std::string_view> first_of(Offered offered) {
    return offered.empty() ? std::nullopt : std::optional{offered.front()};
}

/// The weight of the most specific range, the higher one when two are equally so; `specificity` is negative
/// when a range does not match.
template <typename Specificity>
std::optional<int> weight_by(const std::vector<Range>& ranges, Specificity specificity) {
    std::pair<int, int> best{-1, 0};
    for (const auto& range : ranges)
        best = std::max(best, std::pair{specificity(range.what), range.weight});
    return best.first < 0 ? std::nullopt : std::optional{best.second};
}

bool is_media_range(std::string_view value) {
    const auto slash = value.find('/');
    return slash != std::string_view::npos && serving::is_token(value.substr(0, slash)) &&
           serving::is_token(value.substr(slash + 1)) && (!value.starts_with("*/") || value == "*/*");
}

/// The character set is not asked: Accept-Charset has been given up (RFC 9110, 12.5.2), and clients write it here out of habit.
bool has_parameters(const Parameterized& type, const Parameterized& range) {
    return std::all_of(range.parameters.begin(), range.parameters.end(), [&type](const auto& wanted) {
        const auto value = type.parameter(wanted.first);
        return wanted.first == "charset" || (value && equal_ignoring_case(*value, wanted.second));
    });
}

int media_specificity(const Parameterized& range, const Parameterized& type) {
    if (!has_parameters(type, range))
        return -1;
    const auto parameters = static_cast<int>(range.parameters.size());
    if (range.value == "*/*")
        return parameters;
    static constexpr int kStep = 1000;  // more than any range has parameters
    if (range.value.ends_with("/*"))
        return type.value.starts_with(std::string_view{range.value}.substr(0, range.value.size() - 1))
                   ? kStep + parameters
                   : -1;
    return range.value == type.value ? 2 * kStep + parameters : -1;
}

bool is_coding_range(std::string_view value) {
    return serving::is_token(value);
}

/// RFC 9110, 8.4.1: the same codings under an older name.
std::string_view without_x(std::string_view coding) {
    return coding == "x-gzip" || coding == "x-compress" ? coding.substr(2) : coding;
}

bool is_language_range(std::string_view value) {
    return value == "*" || (!value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           }));
}

/// Whether `tag` is `range`, or goes on behind it with a '-'.
bool is_within(std::string_view tag, std::string_view range) {
    return tag.starts_with(range) && (tag.size() == range.size() || tag[range.size()] == '-');
}

}  // namespace

std::optional<std::string_view> choose_media_type(const Request& request, Offered offered) {
    const auto ranges = parse_ranges(request, "accept", is_media_range);
    if (!ranges || ranges->empty())
        return first_of(offered);
    return choose(offered, [&ranges](std::string_view candidate) {
        const auto type = serving::parse_parameterized(candidate);
        if (!type)
            return Liking{};
        const auto weight = weight_by(
            *ranges, [&type](const Parameterized& range) { return media_specificity(range, *type); });
        return Liking{weight.value_or(0), 0};
    });
}

std::optional<std::string_view> choose_encoding(const Request& request, Offered offered) {
    const auto ranges = parse_ranges(request, "accept-encoding", is_coding_range);
    const auto is_identity = [](std::string_view coding) { return equal_ignoring_case(coding, "identity"); };
    if (!ranges) {
        const auto identity = std::find_if(offered.begin(), offered.end(), is_identity);
        return identity != offered.end() ? std::optional{*identity} : first_of(offered);
    }
    return choose(offered, [&](std::string_view candidate) {
        const std::string lower = serving::to_lower(candidate);
        const auto weight = weight_by(*ranges, [&lower](const Parameterized& range) {
            if (range.value == "*")
                return 0;
            return without_x(range.value) == without_x(lower) ? 1 : -1;
        });
        return Liking{weight.value_or(is_identity(candidate) ? kUnasked : 0), 0};
    });
}

std::optional<std::string_view> choose_language(const Request& request, Offered offered) {
    const auto ranges = parse_ranges(request, "accept-language", is_language_range);
    if (!ranges || ranges->empty())
        return first_of(offered);
    return choose(offered, [&ranges](std::string_view candidate) {
        const std::string tag = serving::to_lower(candidate);
        const auto filtered = weight_by(*ranges, [&tag](const Parameterized& range) {
            return range.value != "*" && is_within(tag, range.value) ? static_cast<int>(range.value.size())
                                                                     : -1;
        });
        if (filtered)
            return Liking{*filtered, std::string_view::npos};
        int looked_up = 0;
        int wildcard = 0;
        for (const auto& range : *ranges) {
            int& weight = range.what.value == "*" ? wildcard : looked_up;
            if (range.what.value == "*" || is_within(range.what.value, tag))
                weight = std::max(weight, range.weight);
        }
        return looked_up > 0 ? Liking{looked_up, tag.size()} : Liking{wildcard, 0};
    });
}

}  // namespace zmqspdy
